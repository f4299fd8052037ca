"""What an on-call engineer can do with a subscription. Each is logged like any other command."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import LINES, ONE_LINE
from cqrs_app.kernel.messages.permissions import Permission, Role

MANAGE = Permission("projections.manage", Role.ADMIN)
RETRY = Permission("projections.retry", Role.SUPERVISOR)
SEE_COMMANDS = Permission("commands.view", Role.OPERATOR)
SEE_EVENTS = Permission("events.view", Role.SUPERVISOR)
SEE_SYSTEM = Permission("system.view", Role.SUPERVISOR)

ProjectionName = Annotated[
    str,
    Meta(
        title="Projection",
        examples=["orders"],
        min_length=1,
        max_length=60,
        pattern=r"^[a-z_]+(?!\n)$",
    ),
]
Reason = Annotated[
    str,
    Meta(
        title="Reason",
        examples=["The order was cancelled by hand; the event adds nothing."],
        description="Kept in the log for whoever asks later.",
        pattern=LINES,
        min_length=10,
        max_length=500,
        extra={"widget": "textarea"},
    ),
]
Stream = Annotated[
    str, Meta(title="Stream", examples=["order-10042"], min_length=1, max_length=200)
]


@command(label="Pause projection", permission=MANAGE, risky=True)
class PauseProjection(Command):
    """Stop processing events. Pages that it feeds say so until it is resumed."""

    projection: ProjectionName


@command(label="Resume projection", permission=MANAGE)
class ResumeProjection(Command):
    """Continue after a pause, from the event after the last one processed."""

    projection: ProjectionName


@command(label="Retry parked events", permission=RETRY)
class RetryParkedEvents(Command):
    """Apply a stream's parked events again, in order."""

    projection: ProjectionName
    stream: Stream


@command(label="Skip parked event", permission=MANAGE, risky=True)
class SkipParkedEvent(Command):
    """Leave the event that cannot be applied out of this projection, and continue after it."""

    projection: ProjectionName
    stream: Stream
    reason: Reason


@command(label="Rebuild beside", permission=MANAGE)
class RebuildBeside(Command):
    """Build new rows from all events, beside the ones that pages show, and compare the two."""

    projection: ProjectionName


@command(label="Compare again", permission=MANAGE)
class CompareGenerations(Command):
    """Compare the new rows with the live ones, both at the same position."""

    projection: ProjectionName


@command(label="Swap in new rows", permission=MANAGE, risky=True)
class SwapProjection(Command):
    """Show the new rows instead of the live ones, which are kept and updated for a way back."""

    projection: ProjectionName
    accept_differences: Annotated[
        int,
        Meta(
            title="Accept differences",
            description="How many rows may differ from the live ones.",
            examples=[0],
            ge=0,
            le=1_000_000_000,
        ),
    ] = 0


@command(label="Switch back", permission=MANAGE, risky=True)
class SwitchBack(Command):
    """Show the rows from before the swap again."""

    projection: ProjectionName


@command(label="Drop rows beside", permission=MANAGE, risky=True)
class DropGeneration(Command):
    """Delete the rows beside the live ones. Pages keep showing the live ones."""

    projection: ProjectionName


@command(label="Repair projection", permission=MANAGE)
class RepairProjection(Command):
    """Compare the rows with the events, and correct those that differ."""

    projection: ProjectionName
    only: Annotated[
        str,
        Meta(
            title="Only",
            description="Repair only rows of this order, customer or product.",
            examples=["536365"],
            pattern=ONE_LINE,
            max_length=200,
        ),
    ] = ""
