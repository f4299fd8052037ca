"""Retention: what may be about people is deleted after some days, and how much is in the log."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.retention import events
from cqrs_app.platform.retention.retention import Retention


def retention_area(tasks: Sequence[BackgroundTask] = ()) -> Area:
    return Area(name="retention", aggregates=[Retention], events=events, tasks=tasks)
