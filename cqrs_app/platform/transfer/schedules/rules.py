"""What the bus refuses of a schedule: a list, view, format or webhook that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.platform.transfer.schedules.commands import ScheduleExport
from cqrs_app.platform.transfer.schedules.schedule import UNUSABLE_SCHEDULE
from cqrs_app.platform.views.commands import TEAM
from cqrs_app.platform.views.views import SavedView, Views
from cqrs_app.platform.webhooks.webhook import Webhook

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""When it happened does not matter here."""


def usable_schedules(lists: Mapping[str, type[Query]]) -> Middleware:
    """`lists` maps the name of a list to its query."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command = call.command
        if isinstance(command, ScheduleExport):
            _check(call, command, lists)
        return proceed(call)

    return check


def _check(call: Call, command: ScheduleExport, lists: Mapping[str, type[Query]]) -> None:
    # Imported here: the modules that write files are needed by few processes.
    from cqrs_app.platform.transfer.exports.formats import FORMATS

    cls = lists.get(command.list)
    if cls is None:
        raise UNUSABLE_SCHEDULE(
            f"There is no list {command.list}. Nothing was scheduled. There are: "
            f"{', '.join(lists)}."
        )
    needed = cls.declaration.permission
    if not call.context.actor.may(needed):
        raise NotAllowed(f"Export of {command.list}", needed)
    if command.format not in FORMATS:
        raise UNUSABLE_SCHEDULE(
            f"The console cannot write {command.format}. Nothing was scheduled. Install "
            "requirements-parquet.txt, or choose another format."
        )
    if command.view:
        owners = (call.context.actor.name, TEAM)
        saved = [_views(call, each) for each in owners]
        if view_in(saved, command.list, command.view) is None:
            raise UNUSABLE_SCHEDULE(
                f"There is no view {command.view} of {command.list}, neither yours nor the team's. "
                "Nothing was scheduled. Save it on the page of the list first."
            )
    if command.webhook_id and not _is_webhook(call, command.webhook_id):
        raise UNUSABLE_SCHEDULE(
            f"There is no webhook {command.webhook_id}. Nothing was scheduled. Have it added "
            "first, or leave the field empty."
        )


def view_in(saved: list[Views], list_name: str, view: str) -> SavedView | None:
    """The view of this name, of the first who has one."""
    return next(
        (each for views in saved for each in views.saved if each.has(list_name, view)), None
    )


def _views(call: Call, owner: str) -> Views:
    views = Views()
    for event in call.past(Views.stream_of(owner)):
        views.evolve(event, _ANY_TIME)
    return views


def _is_webhook(call: Call, webhook_id: str) -> bool:
    webhook = Webhook()
    for event in call.past(Webhook.stream_of(webhook_id)):
        webhook.evolve(event, _ANY_TIME)
    return webhook.added_at is not None and not webhook.removed
