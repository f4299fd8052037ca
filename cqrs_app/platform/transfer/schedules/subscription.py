"""Follows schedules, in the rows that the task works on, and erasures of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import ClassVar

from sqlalchemy import Connection, delete, insert, true

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.transfer.schedules.events import ExportScheduled, ScheduledExportDeleted
from cqrs_app.platform.transfer.schedules.files import forget
from cqrs_app.platform.transfer.schedules.schedule import next_time
from cqrs_app.platform.transfer.schedules.tables import export_files, export_schedules

_ROW = export_schedules.c


class FollowSchedules(Subscription):
    """A row per schedule. Once a person is erased, no file that was made before is kept: any of
    them may name the person."""

    name: ClassVar[str] = "export_schedules"
    events: ClassVar[tuple[type[Event], ...] | None] = (
        ExportScheduled,
        ScheduledExportDeleted,
        SubjectErased,
    )

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            match recorded.event:
                case ExportScheduled() as scheduled:
                    self._schedule(connection, recorded, scheduled)
                case ScheduledExportDeleted(schedule=schedule):
                    connection.execute(delete(export_schedules).where(_ROW.schedule == schedule))
                    forget(connection, export_files.c.schedule == schedule)
                case _:
                    forget(connection, true())

    def _schedule(self, connection: Connection, recorded: Recorded, event: ExportScheduled) -> None:
        row = {
            "schedule": event.schedule,
            "owner": recorded.stored.operator,
            "list": event.list,
            "view": event.view,
            "format": event.format,
            "days": event.days,
            "at": event.at,
            "webhook_id": event.webhook_id,
            "next_at": next_time(event.days, event.at, recorded.stored.recorded_at, self._zone),
            "failures": 0,
            "sentence": "",
        }
        connection.execute(delete(export_schedules).where(_ROW.schedule == event.schedule))
        connection.execute(insert(export_schedules).values(row))
