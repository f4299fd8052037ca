"""Whether a command that is not sent yet would need approval, for whoever fills in its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.consequences import Forecast
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.circumstances import circumstances
from cqrs_app.platform.approvals.policies import POLICIES, ApprovalPolicies
from cqrs_app.platform.approvals.policy import ApprovalPolicy, applying, stages_of
from cqrs_app.platform.approvals.seats import describe
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import RequestState

_ROW = approval_requests.c
_PENDING = [each for each in RequestState if each.pending]


@dataclass(frozen=True, slots=True)
class OpenApproval:
    """A request that waits, and the command it is for."""

    request_id: str
    command: str
    stream: str
    state: RequestState
    asked_by: str


def policies_of(kernel: Kernel) -> tuple[ApprovalPolicy, ...]:
    """The policies that are set."""
    found, _ = Repository(kernel.store, kernel.registry.codec).load(ApprovalPolicies, POLICIES)
    assert isinstance(found, ApprovalPolicies)  # noqa: S101 - what load was asked for
    return tuple(found.policies.values())


def needed(
    kernel: Kernel,
    signers: Signers,
    policies: Sequence[ApprovalPolicy],
    command: Command,
    context: Context,
    forecast: Forecast,
) -> str:
    """Whose approval the command needs by these policies, such as "1 supervisor, then 1 admin";
    empty if none."""
    policies = [each for each in policies if type(command).__name__ in each.commands]
    if not policies:
        return ""

    def past(stream: str) -> list[Event]:
        stored = kernel.store.events_of(stream)
        return [kernel.registry.codec.decode(each).event for each in stored]

    role = signers.of(context.actor.name).role
    found = circumstances(command, context, forecast, past, role)
    return ", then ".join(map(describe, stages_of(applying(policies, found))))


def open_requests(kernel: Kernel, streams: Sequence[str]) -> list[OpenApproval]:
    """The requests about these streams that wait, oldest first."""
    found = select(_ROW.request_id, _ROW.command, _ROW.stream, _ROW.state, _ROW.asked_by).where(
        _ROW.stream.in_(streams), _ROW.state.in_(_PENDING)
    )
    with reader_of(kernel.engines.write).connect() as connection:
        rows = connection.execute(found.order_by(_ROW.asked_at)).all()
    return [
        OpenApproval(row.request_id, row.command, row.stream, RequestState(row.state), row.asked_by)
        for row in rows
    ]
