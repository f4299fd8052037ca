"""One scheduled export, and when it is due. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.transfer.schedules.commands import (
    DeleteScheduledExport,
    ExportDays,
    ScheduleExport,
)
from cqrs_app.platform.transfer.schedules.events import ExportScheduled, ScheduledExportDeleted

SCHEDULE_EXISTS = Refusal("schedule_exists", "There is a scheduled export of this name.")
NO_SUCH_SCHEDULE = Refusal("no_such_schedule", "There is no scheduled export of this name.")
UNUSABLE_SCHEDULE = Refusal(
    "unusable_schedule", "The list, view, format or webhook of the export cannot be used."
)
_EVERY = list(ExportDays)
_FIRST = _EVERY.index(ExportDays.MONDAYS)


@rule(NO_SUCH_SCHEDULE)
def is_scheduled(schedule: ExportSchedule, name: str) -> None:
    if not schedule.active:
        raise NO_SUCH_SCHEDULE.because(f"There is no scheduled export {name}.")


@dataclass
class ExportSchedule(Aggregate):
    """A name can be used again once it is deleted."""

    category: ClassVar[str] = "export_schedule"
    identity: ClassVar[str] = "schedule"

    active: bool = False

    @handles(ScheduleExport, refusals=[SCHEDULE_EXISTS, UNUSABLE_SCHEDULE])
    def schedule(self, command: ScheduleExport) -> Iterator[Event]:
        if self.active:
            raise SCHEDULE_EXISTS.because(
                f"There is a scheduled export {command.schedule} already.",
                "Choose another name, or delete that one.",
            )
        yield ExportScheduled(
            schedule=command.schedule,
            list=command.list,
            view=command.view,
            format=command.format,
            days=command.days,
            at=command.at,
            webhook_id=command.webhook_id,
        )

    @handles(DeleteScheduledExport, when=is_scheduled)
    def delete(self, command: DeleteScheduledExport) -> Iterator[Event]:
        yield ScheduledExportDeleted(schedule=command.schedule)

    def evolve(self, event: Event, at: datetime) -> None:
        self.active = isinstance(event, ExportScheduled)


def next_time(days: str, at: str, after: datetime, zone: tzinfo) -> datetime:
    """The first time after `after`, in UTC, at which an export is due; `days` is of ExportDays, and
    `at` is `HH:MM` in the zone."""
    day, clock = after.astimezone(zone).date(), time.fromisoformat(at)
    while True:
        found = datetime.combine(day, clock, zone).astimezone(UTC)
        if found > after and _is_day(ExportDays(days), found.astimezone(zone)):
            return found
        day += timedelta(days=1)


def _is_day(days: ExportDays, at: datetime) -> bool:
    match days:
        case ExportDays.DAILY:
            return True
        case ExportDays.WEEKDAYS:
            return at.weekday() < 5
        case ExportDays.MONTHLY:
            return at.day == 1
        case _:
            return at.weekday() == _EVERY.index(days) - _FIRST
