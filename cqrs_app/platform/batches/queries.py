"""Queries about batches. Progress is in the write store, so none of them is stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Engine, Label, Row, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.paging import ListQuery, Page, Sort
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.batches.batch import CommandBatch, state_after
from cqrs_app.platform.batches.commands import RUN, BatchId
from cqrs_app.platform.batches.events import BatchCreated
from cqrs_app.platform.batches.items import FROZEN, command_id
from cqrs_app.platform.batches.tables import batch_counts, batch_effects, batch_items, batches
from cqrs_app.platform.batches.words import OPEN, BatchState, Outcome

MOST_SENTENCES = 50
"""Different sentences that a batch shows with their number of items."""
MOST_LIVE = 100
EXPLAINED = (Outcome.REFUSED, Outcome.CONFLICTED, Outcome.FAILED, Outcome.SKIPPED)
"""The outcomes that come with a sentence."""
_BATCH, _ITEM, _COUNT = batches.c, batch_items.c, batch_counts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """`macro` is the name of a macro, of which `command` is one; empty for one command. `source`
    says where the items come from. Times in UTC; `started_at` is that of the last run.
    `finished` items have an outcome: `done`, `requested` (of those who approve), or `not_done`
    (refused, changed since, or failed), or they were left out or cancelled."""

    batch_id: str
    command: str
    macro: str
    source: str
    created_by: str
    created_at: datetime
    state: BatchState
    total: int
    started_at: datetime | None
    finished_at: datetime | None
    finished: int
    done: int
    requested: int
    not_done: int


def _total(name: str, *outcomes: Outcome) -> Label[int]:
    counted = select(func.coalesce(func.sum(_COUNT.total), 0)).where(
        _COUNT.batch_id == _BATCH.batch_id, _COUNT.foreseen.is_(False), _COUNT.outcome.in_(outcomes)
    )
    return counted.scalar_subquery().label(name)


_NAMES = tuple(BatchRow.__annotations__)
_TOTALS = {
    "finished": [each for each in Outcome if each not in OPEN],
    "done": [Outcome.DONE],
    "requested": [Outcome.REQUESTED],
    "not_done": [Outcome.REFUSED, Outcome.CONFLICTED, Outcome.FAILED],
}
_COLUMNS = [_total(name, *_TOTALS[name]) if name in _TOTALS else _BATCH[name] for name in _NAMES]


@query(label="Batches", permission=RUN, store="write")
class ListBatches(ListQuery):
    """One page of batches, newest first."""

    sorts: ClassVar[Mapping[str, Sort]] = {
        "created_at": Sort((_BATCH.created_at, _BATCH.batch_id), datetime)
    }
    sort: ClassVar[str] = "created_at"
    descending: ClassVar[bool] = True


def list_batches(question: ListBatches, connection: Connection) -> Page[BatchRow]:
    found = select(*_COLUMNS).where(_BATCH.state != FROZEN)
    return question.page(found, connection, _row)


def live_batches(engine: Engine, ended_after: datetime) -> tuple[BatchRow, ...]:
    """The batches of everybody that are checked or running now, or ended since then."""
    moving = _BATCH.state.in_([BatchState.CHECKING, BatchState.RUNNING])
    found = select(*_COLUMNS).where(moving | (_BATCH.finished_at > ended_after))
    with reader_of(engine).connect() as connection:
        rows = connection.execute(found.order_by(_BATCH.created_at).limit(MOST_LIVE))
        return tuple(_row(row) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchGroup:
    """Items with one outcome and one sentence."""

    outcome: Outcome
    sentence: str
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchWorth:
    """What the items with one outcome come to, in one currency."""

    outcome: Outcome
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEffect:
    """What would follow from `items` of the items: an amount in a currency, or units where that is
    empty, and what happens to it, as in "EUR 312.00 will be refunded"."""

    currency: str
    amount: Decimal
    verb: str
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch with its progress. `fields` are those that all items share, `steps` those of a macro,
    such as `HoldOrder?reason=other`; `paused_because` says why
    a worker, or whoever gave a reason, paused it. `counts` is by outcome;
    before the batch is started, by what the check expects (`checked` of `total` items so far), and
    so are `groups` and `worth`. `effects` are those of the first items, as long as it is not
    started."""

    row: BatchRow
    fields: dict[str, Any]
    steps: tuple[str, ...]
    paused_because: str
    counts: dict[str, int]
    groups: tuple[BatchGroup, ...]
    worth: tuple[BatchWorth, ...]
    effects: tuple[BatchEffect, ...]
    checked: int


@query(label="Batch", permission=RUN, store="write")
class GetBatch(Query):
    """One batch, or nothing."""

    batch_id: BatchId


def get_batch(question: GetBatch, connection: Connection) -> BatchView | None:
    columns = (*_COLUMNS, _BATCH.fields, _BATCH.steps, _BATCH.paused_because)
    found = select(*columns).where(_BATCH.batch_id == question.batch_id)
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    state = _state(connection, question.batch_id, row.state)
    if state is None:
        return None
    batch = _row(row, state)
    foreseen = batch.state in (BatchState.CHECKING, BatchState.READY)
    counted = select(_COUNT.outcome, _COUNT.currency, _COUNT.total, _COUNT.amount).where(
        _COUNT.batch_id == question.batch_id, _COUNT.foreseen.is_(foreseen), _COUNT.total > 0
    )
    kept = connection.execute(counted.order_by(_COUNT.currency)).all()
    counts = Counter[str]()
    for each in kept:
        counts[each.outcome] += each.total
    column = _ITEM.expected if foreseen else _ITEM.outcome
    explained = [each for each in EXPLAINED if counts[each]]
    return BatchView(
        row=batch,
        fields=msgspec.json.decode(row.fields),
        steps=tuple(row.steps.split("\n")) if row.steps else (),
        paused_because=row.paused_because if batch.state is BatchState.PAUSED else "",
        counts=dict(counts),
        groups=tuple(_groups(connection, question.batch_id, column, explained)),
        worth=tuple(
            BatchWorth(outcome=Outcome(each.outcome), currency=each.currency, amount=each.amount)
            for each in kept
            if each.currency and each.outcome != Outcome.WAITING
        ),
        effects=tuple(_effects(connection, question.batch_id)) if foreseen else (),
        checked=batch.total - counts[Outcome.WAITING] if foreseen else batch.total,
    )


def _effects(connection: Connection, batch_id: str) -> Iterator[BatchEffect]:
    found = select(batch_effects).where(batch_effects.c.batch_id == batch_id)
    ordered = found.order_by(batch_effects.c.verb, batch_effects.c.currency)
    for row in connection.execute(ordered):
        values = dict(row._mapping)
        values.pop("batch_id")
        yield BatchEffect(**values)


def _groups(
    connection: Connection, batch_id: str, column: ColumnElement[str], outcomes: Sequence[Outcome]
) -> Iterator[BatchGroup]:
    if not outcomes:
        return
    found = (
        select(column, _ITEM.sentence, func.count())
        .where(_ITEM.batch_id == batch_id, column.in_(outcomes))
        .group_by(column, _ITEM.sentence)
        .order_by(func.count().desc(), _ITEM.sentence)
        .limit(MOST_SENTENCES)
    )
    for outcome, sentence, items in connection.execute(found):
        yield BatchGroup(outcome=Outcome(outcome), sentence=sentence, items=items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item. `expected` is what the check foresaw, `sentence` why it is not done. `command_id`
    is that of its last attempt in the command log, at this `step` of a macro; times in UTC."""

    number: int
    subject: str
    version: int | None
    amount: Decimal | None
    currency: str
    expected: str
    outcome: Outcome
    code: str
    sentence: str
    attempt: int
    step: int
    finished_at: datetime | None
    command_id: str


_OF_ITEM = [_ITEM[name] for name in ItemRow.__annotations__ if name != "command_id"]


@query(label="Items of a batch", permission=RUN, store="write")
class ListBatchItems(ListQuery):
    """One page of a batch's items, in order; `outcome` selects those with one. Before the batch is
    started, `expected` selects by what the check foresees."""

    sorts: ClassVar[Mapping[str, Sort]] = {"number": Sort((_ITEM.number,), int)}
    sort: ClassVar[str] = "number"
    descending: ClassVar[bool] = False
    batch_id: BatchId
    outcome: Annotated[Outcome | None, Meta(title="Outcome")] = None
    expected: Annotated[Outcome | None, Meta(title="Expected")] = None


def list_batch_items(question: ListBatchItems, connection: Connection) -> Page[ItemRow]:
    found = select(*_OF_ITEM).where(_ITEM.batch_id == question.batch_id)
    if question.outcome is not None:
        found = found.where(_ITEM.outcome == question.outcome)
    if question.expected is not None:
        found = found.where(_ITEM.expected == question.expected)

    def item(row: Row[Any]) -> ItemRow:
        values = dict(row._mapping) | {"outcome": Outcome(row.outcome)}
        sent = row.outcome not in (Outcome.WAITING, Outcome.SKIPPED, Outcome.CANCELLED)
        key = question.batch_id, row.number, row.attempt, row.step
        return ItemRow(**values, command_id=command_id(*key) if sent else "")

    return question.page(found, connection, item)


def _state(connection: Connection, batch_id: str, followed: str) -> BatchState | None:
    """The state after the last decision, which the batch's row may not follow yet; None if it was
    not created."""
    last = (
        select(events.c.type)
        .where(events.c.stream == CommandBatch.stream_of(batch_id))
        .order_by(events.c.version.desc())
        .limit(1)
    )
    decided: str | None = connection.execute(last).scalar()
    if decided is None:
        return None
    if decided == BatchCreated.__name__:
        return BatchState.CHECKING if followed == FROZEN else BatchState(followed)
    return state_after(decided)


def _row(row: Any, state: BatchState | None = None) -> BatchRow:
    values = {name: row._mapping[name] for name in _NAMES}
    return BatchRow(**values | {"state": state or BatchState(values["state"])})


@query(label="What may be done with a batch", permission=RUN)
class BatchActions(Query):
    """The actions on one batch, each allowed or with the reason why not."""

    batch_id: BatchId
