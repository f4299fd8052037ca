"""Batches over HTTP: one command for many items, and what becomes of each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec
from flask import Response, request, url_for

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import answer
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.problems import Unusable
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.queries.paging import Page
from cqrs_app.platform.batches.commands import (
    BatchId,
    CancelBatch,
    PauseBatch,
    ResumeBatch,
    RetryBatchItems,
    StartBatch,
)
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.platform.batches.queries import (
    BatchEffect,
    BatchGroup,
    BatchView,
    BatchWorth,
    GetBatch,
    ItemRow,
    ListBatchItems,
)
from cqrs_app.platform.batches.words import BatchState, Outcome
from cqrs_app.services import kernel, services

DECISIONS: dict[str, type[Command]] = {
    "start": StartBatch,
    "pause": PauseBatch,
    "resume": ResumeBatch,
    "cancel": CancelBatch,
    "retry": RetryBatchItems,
}
Version = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTarget:
    """One item: its id, and the version that was seen. Without a version, it is the present one."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    version: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatchRequest:
    """A `command` with the `fields` that all items share, or a `macro`, yours or the team's; `ids`
    or `filter` choose the items. With `dry_run` it is checked and waits to be started."""

    command: str = ""
    macro: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    ids: tuple[str | BatchTarget, ...] | None = None
    filter: dict[str, Any] | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAccepted:
    """The id of a batch that was created."""

    batch_id: BatchId


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """Of a `macro`, `steps` are its commands with their fields. `counts` has the number of items by
    outcome; before the start, by what the check foresees. So have `groups`, by sentence, and
    `worth`, by currency. `effects` is what would follow from the first items, before the start."""

    batch_id: BatchId
    command: str
    macro: str
    fields: dict[str, Any]
    steps: tuple[str, ...]
    source: str
    state: BatchState
    total: int
    checked: int
    finished: int
    counts: dict[str, int]
    groups: tuple[BatchGroup, ...]
    worth: tuple[BatchWorth, ...]
    effects: tuple[BatchEffect, ...]
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@bp.post("/batches")
def create_batch() -> Response:
    """Freeze the items of a batch; 202, while workers check and send them."""
    asked = _request()
    context = reading.context()
    # An idempotency key makes the id, so that a repeated request creates nothing.
    batch_id = context.command_id if _given() else str(uuid.uuid4())
    new = NewBatch(
        batch_id=batch_id,
        command=asked.command,
        macro=asked.macro,
        fields=asked.fields,
        named=[_target(each) for each in asked.ids or ()],
        filters=_texts(asked.filter),
        start=not asked.dry_run,
    )
    services.batches.create(new, reading.actor(), reading.CHANNEL)
    where = url_for("api.batch_progress", batch_id=batch_id)
    return answer(BatchAccepted(batch_id=batch_id), 202, {"Location": where})


@bp.get("/batches/<batch_id>")
def batch_progress(batch_id: str) -> Response:
    """How far a batch is."""
    return answer(_progress(batch_id))


@bp.get("/batches/<batch_id>/items")
def batch_items(batch_id: str) -> Response:
    """One page of a batch's items, with the parameters of ListBatchItems."""
    _progress(batch_id)
    question = parse(
        ListBatchItems, {**request.args.to_dict(), "batch_id": batch_id}, from_text=True
    )
    page: Page[ItemRow] = kernel.queries.ask(question, _asker()).value
    return answer(page)


@bp.post("/batches/<batch_id>/<decision>")
def decide_batch(batch_id: str, decision: str) -> Response:
    """Start, pause, resume, cancel or retry a batch: the body has the command's other fields."""
    cls = DECISIONS.get(decision)
    if cls is None:
        raise Unusable(404, "not_found", f"Write one of {', '.join(DECISIONS)}.")
    context = reading.context()
    kernel.commands.authorise(cls, context)
    given = reading.fields() if request.content_length else {}
    return answer(kernel.commands.execute(parse(cls, {**given, "batch_id": batch_id}), context))


def _progress(batch_id: str) -> BatchProgress:
    kernel.queries.authorise(GetBatch, _asker())
    question = parse(GetBatch, {"batch_id": batch_id}, from_text=True)
    view: BatchView | None = kernel.queries.ask(question, _asker()).value
    if view is None:
        raise Unusable(404, "not_found", "There is no batch with this id.")
    row = view.row
    return BatchProgress(
        batch_id=batch_id,
        command=row.command,
        macro=row.macro,
        fields=view.fields,
        steps=view.steps,
        source=row.source,
        state=row.state,
        total=row.total,
        checked=view.checked,
        finished=view.row.finished,
        counts={each.value: view.counts.get(each, 0) for each in Outcome},
        groups=view.groups,
        worth=view.worth,
        effects=view.effects,
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _request() -> NewBatchRequest:
    try:
        found = msgspec.convert(reading.body(), NewBatchRequest)
    except msgspec.ValidationError as error:
        raise Unusable(400, "malformed", f"The batch cannot be read: {error}.") from None
    if bool(found.command) == bool(found.macro):
        raise Unusable(400, "malformed", "Give either “command” or “macro”. Nothing was created.")
    if (found.ids is None) == (found.filter is None):
        raise Unusable(400, "malformed", "Give either “ids” or “filter”. Nothing was created.")
    return found


def _target(each: str | BatchTarget) -> tuple[str, int | None]:
    return (each, None) if isinstance(each, str) else (each.id, each.version)


def _texts(filters: dict[str, Any] | None) -> dict[str, list[str]] | None:
    """As in the URL of a list."""
    if filters is None:
        return None
    many = {name: each if isinstance(each, list) else [each] for name, each in filters.items()}
    return {name: [_text(each) for each in values] for name, values in many.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _given() -> bool:
    return "Idempotency-Key" in request.headers


def _asker() -> QueryContext:
    return QueryContext(actor=reading.actor())
