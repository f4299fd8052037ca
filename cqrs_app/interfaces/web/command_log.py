"""The command log: every command with its outcome, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask, authorise
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import PLACE, asked, chips, here, moments, page_size, pager
from cqrs_app.interfaces.web.places import about
from cqrs_app.interfaces.web.recorded_fields import recorded_fields
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.queries.readers import NOT_SHOWN
from cqrs_app.kernel.tracing.spans import trace_id_of
from cqrs_app.platform.runtime.causes import Link
from cqrs_app.platform.runtime.command_log import CommandView, GetCommand, ListCommands
from cqrs_app.platform.runtime.traces import GetTrace, TraceView
from cqrs_app.services import kernel

ENDPOINT = "web.command_log"
OUTCOMES = ("succeeded", "refused", "requested", "failed", "queued", "running")
FILTERS = MappingProxyType(
    {
        "type": "Action",
        "outcome": "Outcome",
        "operator": "Operator",
        "stream": "Order",
        "received_from": "From",
        "received_to": "To",
        "since": "Since",
        "until": "Until",
    }
)
DAY = "Enter a date, e.g. 2026-03-31."
MOMENT = "Enter a date and time, e.g. 2026-03-31 14:05."
EXPECTED = {"received_from": DAY, "received_to": DAY, "since": MOMENT, "until": MOMENT}


@bp.get("/log")
def command_log() -> ResponseReturnValue:
    """One page of the log, newest first."""
    labels = _labels()
    question = _question(labels)
    answer = ask(question)
    # A page that leaves something out has no other filters.
    filters = {"without": question.without} if question.without else None
    return render_template(
        "commands/list.html",
        page=answer.value,
        freshness=answer.freshness,
        given=request.args,
        labels=labels,
        outcomes=OUTCOMES,
        left_out=bool(question.without),
        all_url=url_for(ENDPOINT, all=1),
        chips=_chips(labels),
        elsewhere=any(request.args.get(name) for name in PLACE),
        first_url=here(ENDPOINT),
        downloads=downloads(ListCommands, filters),
        pager=pager(ENDPOINT, answer.value.next, answer.value.previous),
    )


@bp.get("/log/<command_id>")
def command(command_id: str) -> ResponseReturnValue:
    """One command with everything that is known about it."""
    authorise(GetCommand)
    if not command_id.isprintable():
        abort(404, "There is no action with this id in the log.")
    answer = ask(GetCommand(command_id=command_id))
    if answer.value is None:
        abort(404, f"There is no action with the id {command_id} in the log.")
    view: CommandView = answer.value
    return render_template(
        "commands/command.html",
        entry=view.entry,
        fields=recorded_fields(view.entry.type, json.loads(view.entry.payload)),
        hidden=view.entry.payload == NOT_SHOWN and _has_fields(view.entry.type),
        events=view.events,
        chain=_tree(view),
        labels=_labels(),
        freshness=answer.freshness,
        about=about(view.entry.stream),
        trace_id=trace_id_of(view.entry.correlation_id),
    )


@bp.get("/log/<command_id>/trace")
def command_trace(command_id: str) -> ResponseReturnValue:
    """What one command took, where, and until when each read model showed it."""
    authorise(GetTrace)
    answer = ask(GetTrace(command_id=command_id)) if command_id.isprintable() else None
    if answer is None or answer.value is None:
        abort(404, "There is no action with this id in the log.")
    view: TraceView = answer.value
    return render_template(
        "commands/trace.html",
        trace=view,
        span=_span_ms(view),
        chain=_tree(view),
        labels=_labels(),
        freshness=answer.freshness,
        about=about(view.stream),
    )


def _span_ms(view: TraceView) -> float:
    """From the first step to the end of the last one."""
    return max((step.started_ms + step.took_ms for step in view.steps), default=0.0)


def _question(labels: Mapping[str, str]) -> ListCommands:
    """The filters in the URL. Raises Invalid with a sentence for each, named as on the page."""
    problems: dict[str, str] = {}
    for name in (*FILTERS, *PLACE):
        if not request.args.get(name, "").strip().isprintable():
            problems[name] = "This has characters that cannot be used here."
    for name, known in (("type", labels), ("outcome", OUTCOMES)):
        given = request.args.get(name, "").strip()
        if given and given not in known:
            problems[name] = "Choose one from the list."
    question = None
    try:
        question = asked(ListCommands, **page_size(ListCommands), without=_left_out())
    except Invalid as invalid:
        problems = invalid.problems | problems
    problems |= {name: EXPECTED[name] for name in problems.keys() & EXPECTED.keys()}
    if question is None or problems:
        told = {FILTERS.get(name, name): text for name, text in problems.items()}
        raise Invalid("The address of this list", told)
    return question  # type: ignore[no-any-return]  # `asked` answers for every query


def _left_out() -> tuple[str, ...]:
    """What only the console itself does, such as recording who signed in, unless the page is
    filtered or is to show all."""
    if any(request.args.get(name, "").strip() for name in (*FILTERS, "all")):
        return ()
    commands = kernel.registry.commands.items()
    return tuple(name for name, cls in commands if cls.declaration.permission.role is None)


def _chips(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """The active filters, in the words of the page."""
    found = chips(ENDPOINT, FILTERS, moments("since", "until"))
    for chip in found:
        if chip["label"] == FILTERS["type"]:
            chip["value"] = labels[chip["value"].strip()]
        elif chip["label"] == FILTERS["outcome"]:
            chip["value"] = chip["value"].strip().capitalize()
    return found


def _has_fields(command: str) -> bool:
    cls = kernel.registry.commands.get(command)
    return bool(cls and fields_of(cls))


def _labels() -> dict[str, str]:
    return {name: cls.declaration.label for name, cls in kernel.registry.commands.items()}


def _tree(view: CommandView | TraceView) -> list[dict[str, Any]]:
    """The causes and effects as nested lists: each command with those it caused."""
    current = view.entry.command_id if isinstance(view, CommandView) else view.command_id
    children: dict[str | None, list[Link]] = {}
    for link in view.chain:
        children.setdefault(link.caused_by, []).append(link)

    def branch(cause: str | None) -> list[dict[str, Any]]:
        return [
            {
                "link": link,
                "current": link.command_id == current,
                "caused": branch(link.command_id),
            }
            for link in children.get(cause, [])
        ]

    return branch(None)
