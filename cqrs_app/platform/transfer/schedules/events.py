"""What happened to scheduled exports."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class ExportScheduled(Event):
    """Whoever schedules it is the owner of its files. `view` is a name, or empty for the whole
    list; `at` is `HH:MM` in the time zone of the shop; `webhook_id` may be empty."""

    schedule: str
    list: str
    view: str
    format: str
    days: str
    at: str
    webhook_id: str


@event()
class ScheduledExportDeleted(Event):
    schedule: str
