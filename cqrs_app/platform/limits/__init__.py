"""Limits of custom roles: the amount of an action, the countries and the teams of orders. They hold
at every door, since the command bus asks."""

from __future__ import annotations

from cqrs_app.kernel.registry import Area
from cqrs_app.platform.limits.within import WithinLimits


def limits_area(within: WithinLimits | None) -> Area:
    return Area(name="limits", middleware=[] if within is None else [within])
