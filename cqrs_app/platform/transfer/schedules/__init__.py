"""Lists that are made into files on a schedule, kept for download and sent to webhooks.

A schedule is events; its progress and its files are rows, since a log is no place for bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.schedules import events, queries
from cqrs_app.platform.transfer.schedules.rules import usable_schedules
from cqrs_app.platform.transfer.schedules.schedule import ExportSchedule
from cqrs_app.platform.transfer.schedules.subscription import FollowSchedules


def exports_area(
    lists: Mapping[str, type[Query]], zone: tzinfo, tasks: Sequence[BackgroundTask] = ()
) -> Area:
    """The area; `lists` maps the name of a list to its query, and times of day are in `zone`."""
    return Area(
        name="exports",
        aggregates=[ExportSchedule],
        events=events,
        subscriptions=[FollowSchedules(zone)],
        tasks=tasks,
        answers={
            queries.ListScheduledExports: projected(queries.list_scheduled_exports),
            queries.ListExportFiles: projected(queries.list_export_files),
        },
        middleware=[usable_schedules(lists)],
    )
