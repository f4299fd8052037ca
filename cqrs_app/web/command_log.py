"""The command log: every task with what became of it, and one of them in full."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.extensions import kernel
from cqrs_app.runtime.command_log import CommandView, GetCommand, Link, ListCommands
from cqrs_app.web import asking
from cqrs_app.web.blueprint import bp
from cqrs_app.web.listing import asked, chips, page_size, pager

ENDPOINT = "web.command_log"
OUTCOMES = ("succeeded", "refused", "failed", "queued", "running")
FILTERS = MappingProxyType(
    {
        "type": "Task",
        "outcome": "Outcome",
        "operator": "Operator",
        "stream": "Order",
        "received_from": "From",
        "received_to": "To",
    }
)


@bp.get("/log")
def command_log() -> ResponseReturnValue:
    """One page of the log, newest first."""
    question = asked(ListCommands, **page_size())
    answer = asking.ask(question)
    return render_template(
        "commands/log.html",
        page=answer.value,
        freshness=answer.freshness,
        given=request.args,
        labels=_labels(),
        outcomes=OUTCOMES,
        chips=chips(ENDPOINT, FILTERS),
        pager=pager(ENDPOINT, answer.value.next, answer.value.previous),
    )


@bp.get("/log/<command_id>")
def command(command_id: str) -> ResponseReturnValue:
    """One command with all that is known of it."""
    answer = asking.ask(GetCommand(command_id=command_id))
    if answer.value is None:
        abort(404, f"There is no task with the id {command_id} in the log.")
    view: CommandView = answer.value
    return render_template(
        "commands/command.html",
        entry=view.entry,
        payload=json.loads(view.entry.payload),
        events=view.events,
        chain=_tree(view),
        labels=_labels(),
        freshness=answer.freshness,
        order_id=view.entry.stream.removeprefix("order-")
        if view.entry.stream.startswith("order-")
        else "",
    )


def _labels() -> dict[str, str]:
    return {name: cls.declaration.label for name, cls in kernel.registry.commands.items()}


def _tree(view: CommandView) -> list[dict[str, Any]]:
    """The chain of cause as nested lists: each command with those it caused."""
    known = {link.command_id for link in view.chain}
    children: dict[str | None, list[Link]] = {}
    for link in view.chain:
        cause = link.causation_id if link.causation_id in known else None
        children.setdefault(cause, []).append(link)

    def branch(cause: str | None) -> list[dict[str, Any]]:
        return [
            {
                "link": link,
                "current": link.command_id == view.entry.command_id,
                "caused": branch(link.command_id),
            }
            for link in children.get(cause, [])
        ]

    return branch(None)
