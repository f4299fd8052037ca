"""What people do with batches."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import ONE_LINE, UUID
from cqrs_app.kernel.messages.permissions import Permission, Role

RUN = Permission("batches.run", Role.OPERATOR)
END = Permission("batches.end", Role.ADMIN)

MOST_ITEMS = 1_000_000
"""No setting allows more items than this."""

BatchId = Annotated[
    str,
    Meta(
        title="Batch",
        description="The console makes it when the items are chosen.",
        examples=["5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11"],
        pattern=UUID,
        min_length=36,
        max_length=36,
    ),
]
CommandName = Annotated[
    str,
    Meta(
        title="Command",
        examples=["ApproveOrder"],
        pattern=r"^[A-Za-z]+(?!\n)$",
        min_length=1,
        max_length=100,
    ),
]
Retried = Literal["refused", "conflicted", "failed", "skipped", "cancelled"]


@command(label="Create batch", permission=RUN)
class CreateBatch(Command):
    """Send one command to many items. The items are chosen in a list, by the API or the command
    line."""

    batch_id: BatchId
    command: Annotated[
        CommandName, Meta(description="Of a macro, the one whose version is checked.")
    ]
    total: Annotated[int, Meta(title="Items", ge=1, le=MOST_ITEMS)]
    start: Annotated[
        bool, Meta(title="Start at once", description="Without checking what would be refused.")
    ] = False
    macro: Annotated[
        str,
        Meta(title="Macro", description="Empty for one command.", pattern=ONE_LINE, max_length=40),
    ] = ""


@command(label="Start", permission=RUN)
class StartBatch(Command):
    """Send the command to each item."""

    batch_id: BatchId
    leave_out: Annotated[
        bool,
        Meta(title="Leave out what would be refused", description="Or has changed since."),
    ] = False


@command(label="Pause", permission=RUN)
class PauseBatch(Command):
    """Stop after the items that are being sent. Nothing is lost."""

    batch_id: BatchId
    reason: Annotated[str, Meta(title="Reason", pattern=ONE_LINE, max_length=500)] = ""


@command(label="Resume", permission=RUN)
class ResumeBatch(Command):
    """Continue with the items that were not sent yet."""

    batch_id: BatchId


@command(label="Cancel batch", permission=RUN, risky=True)
class CancelBatch(Command):
    """Do not send the remaining items. What is done stays done."""

    batch_id: BatchId


@command(label="Send again", permission=RUN)
class RetryBatchItems(Command):
    """Send the items with this outcome again, as they are now."""

    batch_id: BatchId
    outcome: Annotated[Retried, Meta(title="Outcome")]


@command(label="End batch", permission=END)
class EndBatch(Command):
    """Sent by the console once every item has an outcome."""

    batch_id: BatchId
