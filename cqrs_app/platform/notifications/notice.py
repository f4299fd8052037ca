"""What a notification is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cqrs_app.platform.notifications.words import NotificationKind

Notice = tuple[str, NotificationKind, str]
"""Whom it is for, its kind and its sentence."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who did it, to what ("order 10042", or "a batch of 40 orders"), the team of each active
    operator, empty for none, and the label of each action that can be requested, by command."""

    actor: str
    what: str
    teams: Mapping[str, str]
    labels: Mapping[str, str]
