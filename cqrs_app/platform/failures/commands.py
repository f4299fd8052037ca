"""What people do about a failure. Each is logged like any other command."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.platform.runtime.commands import RETRY

VIEW = Permission("failures.view", Role.SUPERVISOR)
MANAGE = Permission("failures.manage", Role.SUPERVISOR)
MOST_STREAMS = 1_000

FailureId = Annotated[
    str,
    Meta(title="Failure", examples=["3f9a2c4b7d10"], pattern=r"^[0-9a-f]{12}(?!\n)$"),
]
Streams = Annotated[
    int,
    Meta(
        title="How many",
        description="The oldest first. Begin with one, and look whether it works.",
        ge=1,
        le=MOST_STREAMS,
    ),
]


@command(label="Retry failure", permission=RETRY)
class RetryFailure(Command):
    """Apply the parked events again, those of the oldest orders or products first, or queue the
    failed actions again for whoever sent them. An event that fails again stays parked; an action is
    carried out once."""

    failure_id: FailureId
    streams: Streams = 1


@command(label="Resolve failure", permission=MANAGE)
class ResolveFailure(Command):
    """Close the failure. It opens again if it comes back."""

    failure_id: FailureId


@command(label="Ignore failure", permission=MANAGE)
class IgnoreFailure(Command):
    """Do not list the failure as open until then. It is still counted."""

    failure_id: FailureId
    until: Annotated[datetime, Meta(title="Until", tz=True)]


@command(label="Reopen failure", permission=MANAGE)
class ReopenFailure(Command):
    """List the failure as open again."""

    failure_id: FailureId
