"""Batches: one command for many items, checked first, sent by workers, with an outcome for each.

Items and their outcomes are rows; what people decide about a batch are events. Each item becomes an
ordinary command, by what whoever created the batch may do then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed, check_permission
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.answers import actions_of, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.batches import events, queries
from cqrs_app.platform.batches.batch import (
    NO_SUCH_BATCH,
    NOT_CHECKED,
    NOT_FROZEN,
    NOT_YOURS,
    CommandBatch,
)
from cqrs_app.platform.batches.commands import (
    CreateBatch,
    ResumeBatch,
    RetryBatchItems,
    StartBatch,
)
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.batches.subscription import FollowBatches


def batches_area(
    areas: Sequence[Area], items: Items | None, tasks: Sequence[BackgroundTask] = ()
) -> Area:
    """The area; a batch may be of any command of `areas`."""
    handlers = {each: handler for area in areas for each, handler in area.handlers.items()}
    commands = {each.__name__: each for each in handlers}
    categories = {each.__name__: handlers[each].aggregate.category for each in handlers}
    return Area(
        name="batches",
        aggregates=[CommandBatch],
        events=events,
        upcasters=events.UPCASTERS,
        subscriptions=[FollowBatches(categories)],
        tasks=tasks,
        answers={
            queries.ListBatches: projected(queries.list_batches),
            queries.GetBatch: projected(queries.get_batch),
            queries.ListBatchItems: projected(queries.list_batch_items),
            queries.BatchActions: actions_of(CommandBatch),
        },
        middleware=[] if items is None else [only_what_is_allowed(items, commands)],
    )


def require_creator(items: Items, batch_id: str, name: str) -> None:
    """Its items are sent in the creator's name. Whoever else started it could approve what policies
    ask a second person for."""
    creator = items.creator_of(batch_id)
    if creator != name:
        raise NOT_YOURS.because(
            f"{creator} created this batch, so its items are sent in their name.",
            "Create a batch of your own.",
        )


def _require_check(items: Items, command: Command) -> None:
    """What is not checked yet cannot be left out."""
    if (
        isinstance(command, StartBatch)
        and command.leave_out
        and items.is_being_checked(command.batch_id)
    ):
        raise NOT_CHECKED.because(
            "The batch is still being checked, so it is not known what would be refused.",
            "Start it once it is ready.",
        )


def only_what_is_allowed(items: Items, commands: Mapping[str, type[Command]]) -> Middleware:
    """Refuse a batch without items, and whoever may not send its command to one of them."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        match call.command:
            case CreateBatch():
                frozen = items.is_frozen(call.command)
                names = items.commands_of(call.command.batch_id) if frozen else ()
            case StartBatch() | ResumeBatch() | RetryBatchItems():
                names = items.commands_of(call.command.batch_id)
                if not names:
                    raise NO_SUCH_BATCH.because(
                        f"There is no batch {call.command.batch_id}, or its items were deleted "
                        "since."
                    )
            case _:
                return proceed(call)
        if names and commands.keys() >= {*names}:
            for name in names:
                check_permission(commands[name], call.context)
            if isinstance(call.command, StartBatch | RetryBatchItems):
                require_creator(items, call.command.batch_id, call.context.actor.name)
            _require_check(items, call.command)
        elif isinstance(call.command, CreateBatch):
            raise NOT_FROZEN(
                "No items were chosen for this batch, so nothing was started. Select them in a "
                "list and choose the action there."
            )
        return proceed(call)

    return check
