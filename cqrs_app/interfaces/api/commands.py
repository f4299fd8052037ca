"""Commands over HTTP: sending one, and the state of one."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from flask import Response, g, url_for

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import answer, tagged
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.problems import Unusable
from cqrs_app.kernel.commands.context import Context, Receipt
from cqrs_app.kernel.commands.log import receipt_of
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.platform.approvals.gate import AWAITING, REQUESTED, request_id_of
from cqrs_app.platform.approvals.queries import GetApprovalRequest
from cqrs_app.platform.runtime.command_log import GetCommand
from cqrs_app.services import kernel

_RECEIPT = tuple(each.name for each in fields(Receipt))


@bp.post("/commands/<name>")
def submit(name: str) -> Response:
    """Carry out one command; 202 if it is queued or awaits approval. A dry run returns the events
    it would lead to and their consequences.
    """
    cls, context = kernel.registry.command(name), reading.context()
    kernel.commands.authorise(cls, context)
    given = reading.fields()
    context = replace(context, why=reading.why(given))
    command = parse(cls, given)
    if reading.flag("dry_run"):
        return answer(
            {
                "events": preview(command, context),
                "effects": kernel.commands.effects(command, context),
            }
        )
    act = kernel.commands.enqueue if reading.respond_async() else kernel.commands.dispatch
    return accepted(act(command, context))


def preview(command: Command, context: Context) -> list[dict[str, Any]]:
    """Each event with its type and data, in order."""
    events = kernel.commands.preview(command, context)
    return [{"type": type(event).__name__, "data": event} for event in events]


def accepted(receipt: Receipt) -> Response:
    state = url_for("api.state_of", command_id=receipt.command_id)
    if receipt.status == REQUESTED:
        request_id = request_id_of(receipt.command_id)
        state = url_for("api.ask", name=GetApprovalRequest.__name__, request_id=request_id)
    return answer(described(receipt), status_of(receipt), {"Location": state})


def status_of(receipt: Receipt) -> int:
    """202 while it waits for a worker or for approval or is being carried out, 200 once it is
    done."""
    return 202 if receipt.status in ("queued", "running", REQUESTED) else 200


def described(receipt: Receipt) -> dict[str, Any]:
    """The receipt; of a command that awaits approval also the request's id."""
    found = {name: getattr(receipt, name) for name in _RECEIPT}
    if receipt.status == REQUESTED:
        request_id = request_id_of(receipt.command_id)
        return found | {"status": AWAITING, "request_id": request_id}
    return found


@bp.get("/commands/<command_id>")
def state_of(command_id: str) -> Response:
    """The outcome of a command: a token's own, or any with permission to see the log."""
    entry = kernel.log.find(command_id) if command_id.isprintable() else None
    actor = reading.actor()
    permitted = actor.may(GetCommand.declaration.permission)
    # A name may be reused: commands of an earlier token of this name are not this one's.
    own = entry and entry.operator == actor.name and entry.received_at >= g.token.created_at
    if entry is None or not (permitted or own):
        raise Unusable(404, "not_found", "There is no command with this id, or it is not yours.")
    receipt = receipt_of(entry, repeated=False)
    state = {
        "command_id": receipt.command_id,
        "command": entry.type,
        "operator": entry.operator,
        "status": AWAITING if receipt.status == REQUESTED else receipt.status,
        "stream": receipt.stream,
        "version": receipt.version,
        "events": receipt.events,
        "duration_ms": receipt.duration_ms,
        "code": entry.code,
        "sentence": entry.sentence,
        "attempts": entry.attempts,
        "received_at": entry.received_at,
        "finished_at": entry.finished_at,
    }
    if receipt.status == REQUESTED:
        state["request_id"] = request_id_of(command_id)
    return tagged(state, state)
