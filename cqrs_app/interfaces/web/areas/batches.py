"""Batches: the list, and one with its progress and its items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.ask import ask, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import asked_here, turning
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.tasks import allowed_tasks, label_of_command
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.platform.batches.commands import RUN, ResumeBatch, RetryBatchItems, StartBatch
from cqrs_app.platform.batches.queries import (
    BatchActions,
    BatchRow,
    BatchView,
    GetBatch,
    ItemRow,
    ListBatches,
    ListBatchItems,
)
from cqrs_app.platform.batches.words import RETRIED, BatchState, Outcome
from cqrs_app.platform.batches.work import PREVIEWED
from cqrs_app.platform.macros.commands import VIEW as SEE_MACROS
from cqrs_app.platform.runtime.pending import EventsSince, Written
from cqrs_app.services import kernel, services

EXPECTED = (Outcome.DONE, Outcome.REQUESTED, Outcome.REFUSED, Outcome.CONFLICTED, Outcome.FAILED)
"""In the order in which the result of the check shows them."""
OUTCOMES = (
    Outcome.DONE,
    Outcome.REQUESTED,
    Outcome.REFUSED,
    Outcome.CONFLICTED,
    Outcome.FAILED,
    Outcome.SKIPPED,
    Outcome.CANCELLED,
    Outcome.SENDING,
    Outcome.WAITING,
)
TURNED = ("after", "before")
CHANGES = 10
"""So many of the last events of an item that changed since it was seen; Difference shows all."""


@bp.get("/batches")
def batches() -> ResponseReturnValue:
    """One page of batches."""
    question = asked_here(ListBatches)
    answer = ask(question)
    return render_template(
        "batches/batches.html",
        page=answer.value,
        may_start=may_act(RUN),
        may_see_macros=may(SEE_MACROS),
        **turning("web.batches", answer.value, question.limit),
    )


@bp.get("/batches/<batch_id>")
def batch(batch_id: str) -> ResponseReturnValue:
    """One batch: what is expected, how far it is, and its items."""
    return render_template("batches/batch.html", **_one(batch_id))


@bp.get("/batches/<batch_id>/now")
@background
def batch_now(batch_id: str) -> ResponseReturnValue:
    """The same as a fragment, for its own poll."""
    return fragment(batch_fragment(batch_id))


def batch_fragment(batch_id: str) -> str:
    return render_template("batches/_batch.html", **_one(batch_id))


def _one(batch_id: str) -> dict[str, Any]:
    missing = "There is no batch with this id."
    view: BatchView | None = ask(query_or_404(GetBatch, missing, batch_id=batch_id)).value
    if view is None:
        abort(404, missing)
    row, counts = view.row, view.counts
    foreseen = row.state in (BatchState.CHECKING, BatchState.READY)
    chosen = request.args.get("outcome", "")
    given = {"expected" if foreseen else "outcome": chosen} if chosen in set(Outcome) else {}
    turned = {name: request.args[name] for name in TURNED if request.args.get(name)}
    items = ask(query_or_404(ListBatchItems, missing, batch_id=batch_id, **given, **turned)).value
    tasks, _ = allowed_tasks(ask(BatchActions(batch_id=batch_id)).value.actions)
    return {
        "view": view,
        "row": row,
        "label": row.macro or label_of_command(row.command),
        "foreseen": foreseen,
        "previewed": PREVIEWED,
        "moves": row.state in (BatchState.CHECKING, BatchState.RUNNING),
        "outcomes": [each for each in (EXPECTED if foreseen else OUTCOMES) if counts.get(each)],
        "Outcome": Outcome,
        "chosen": Outcome(chosen) if given else None,
        "items": items,
        "changes": {} if row.state is BatchState.RUNNING else _changes(row.command, items.rows),
        "may_see_events": may("events.view"),
        "tasks": {each["name"] for each in tasks},
        "retried": [] if foreseen else [each for each in RETRIED if counts.get(each)],
        "seconds": _seconds(row),
        "downloads": downloads(ListBatchItems, {"batch_id": batch_id, **given}),
        "new_id": new_id,
        "pager": _pager(batch_id, items, chosen if given else ""),
    }


def _changes(command: str, rows: Sequence[ItemRow]) -> dict[int, Sequence[Written]]:
    """Number of an item that conflicted, or would -> what happened to it since it was seen."""
    cls = kernel.registry.commands.get(command)
    if cls is None:
        return {}
    stream_of = kernel.registry.routes[cls].aggregate.stream_of
    found = {
        each.number: ask(
            EventsSince(stream=stream_of(each.subject), version=each.version, limit=CHANGES)
        ).value
        for each in rows
        if Outcome.CONFLICTED in (each.outcome, each.expected)
        and each.outcome in (Outcome.WAITING, Outcome.CONFLICTED, Outcome.SKIPPED)
        and each.version is not None
    }
    return {number: changes for number, changes in found.items() if changes}


def _pager(batch_id: str, items: Any, chosen: str) -> dict[str, str]:
    def url(**mark: str) -> str:
        return url_for("web.batch", batch_id=batch_id, outcome=chosen or None, **mark)  # type: ignore[arg-type]

    found = {"next_url": url(after=items.next)} if items.next else {}
    return found | ({"previous_url": url(before=items.previous)} if items.previous else {})


def _seconds(row: BatchRow) -> float | None:
    if row.started_at is None:
        return None
    return max(0.0, ((row.finished_at or datetime.now(UTC)) - row.started_at).total_seconds())


def _sends_sensitive(command: StartBatch | ResumeBatch | RetryBatchItems) -> bool:
    """Whether one of the batch's commands asks who sends it. It may be long since the batch was
    created, for which that was asked too."""
    names = services.batches.commands_of(command.batch_id)
    known = (kernel.registry.commands.get(each) for each in names)
    return any(cls is not None and cls.declaration.step_up for cls in known)


BATCHES = WebArea(
    places={"batch": Place("batches", "web.batches", "web.batch", fragment=batch_fragment)},
    confirmed=dict.fromkeys((StartBatch, ResumeBatch, RetryBatchItems), _sends_sensitive),
)
