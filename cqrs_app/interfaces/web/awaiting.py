"""Actions that wait for a second person, on the page of what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel.commands.actions import Action
from cqrs_app.platform.approvals.foresight import OpenApproval, open_requests
from cqrs_app.services import kernel


def awaiting_approval(streams: Sequence[str]) -> list[tuple[str, OpenApproval]]:
    """The label of each action on these streams that waits, with its request."""
    return [(_label(each.command), each) for each in open_requests(kernel, streams)]


def without_requested(
    actions: Iterable[Action], requests: Iterable[tuple[str, OpenApproval]], stream: str
) -> tuple[Action, ...]:
    """The actions; one that waits for approval is not available meanwhile."""
    waiting = {each.command: each for _, each in requests if each.stream == stream}
    return tuple(
        replace(each, allowed=False, reason=_reason(waiting[each.command]))
        if each.command in waiting
        else each
        for each in actions
    )


def _reason(request: OpenApproval) -> str:
    return f"Requested by {request.asked_by}: {request.state.label.lower()}."


def _label(name: str) -> str:
    command = kernel.registry.commands.get(name)
    return command.declaration.label if command else event_words(name)
