"""Queries about batches. Progress is in the write store, so none of them is stale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, Row, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.paging import Limit, ListQuery, Mark, Page, Sort
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.batches.batch import CommandBatch
from cqrs_app.platform.batches.commands import RUN, BatchId
from cqrs_app.platform.batches.events import (
    BatchCancelled,
    BatchCreated,
    BatchEnded,
    BatchItemsRetried,
    BatchPaused,
    BatchResumed,
    BatchStarted,
)
from cqrs_app.platform.batches.items import FROZEN
from cqrs_app.platform.batches.tables import batch_items, batches
from cqrs_app.platform.batches.words import OPEN, BatchState, Outcome

MOST_SENTENCES = 50
"""Different sentences that a batch shows with their number of items."""
_BATCH, _ITEM = batches.c, batch_items.c


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """`source` says where the items come from. Times in UTC; `started_at` is that of the last
    run."""

    batch_id: str
    command: str
    source: str
    created_by: str
    created_at: datetime
    state: BatchState
    total: int
    started_at: datetime | None
    finished_at: datetime | None


_NAMES = tuple(BatchRow.__annotations__)
_COLUMNS = [_BATCH[name] for name in _NAMES]


@query(label="Batches", permission=RUN, store="write")
class ListBatches(ListQuery):
    """One page of batches, newest first."""

    sorts: ClassVar[Mapping[str, Sort]] = {
        "created_at": Sort((_BATCH.created_at, _BATCH.batch_id), datetime)
    }
    sort: ClassVar[str] = "created_at"
    descending: ClassVar[bool] = True
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25


def list_batches(question: ListBatches, connection: Connection) -> Page[BatchRow]:
    found = select(*_COLUMNS).where(_BATCH.state != FROZEN)
    return question.page(found, connection, _row)


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
class BatchView:
    """A batch with its progress. `fields` are those that all items share. `counts` is by outcome;
    before the batch is started, by what the check expects (`checked` of `total` items so far), and
    so are `groups` and `worth`."""

    row: BatchRow
    fields: dict[str, Any]
    counts: dict[str, int]
    groups: tuple[BatchGroup, ...]
    worth: tuple[BatchWorth, ...]
    checked: int
    finished: int


@query(label="Batch", permission=RUN, store="write")
class GetBatch(Query):
    """One batch, or nothing."""

    batch_id: BatchId


def get_batch(question: GetBatch, connection: Connection) -> BatchView | None:
    found = select(*_COLUMNS, _BATCH.fields).where(_BATCH.batch_id == question.batch_id)
    row = connection.execute(found).one_or_none()
    state = row and _state(connection, question.batch_id, row.state)
    if row is None or state is None:
        return None
    batch = _row(row, state)
    foreseen = batch.state in (BatchState.CHECKING, BatchState.READY)
    column = _ITEM.expected if foreseen else _ITEM.outcome
    here = _ITEM.batch_id == question.batch_id
    counted = select(column, func.count()).where(here).group_by(column)
    counts = {str(name or "waiting"): count for name, count in connection.execute(counted)}
    said = (
        select(column, _ITEM.sentence, func.count())
        .where(here, column.in_([Outcome.REFUSED, Outcome.CONFLICTED, Outcome.FAILED, "skipped"]))
        .group_by(column, _ITEM.sentence)
        .order_by(func.count().desc(), _ITEM.sentence)
        .limit(MOST_SENTENCES)
    )
    summed = (
        select(column, _ITEM.currency, func.sum(_ITEM.amount))
        .where(here, _ITEM.amount.is_not(None), column != "")
        .group_by(column, _ITEM.currency)
        .order_by(_ITEM.currency)
    )
    return BatchView(
        row=batch,
        fields=msgspec.json.decode(row.fields),
        counts=counts,
        groups=tuple(
            BatchGroup(outcome=Outcome(outcome), sentence=sentence, items=items)
            for outcome, sentence, items in connection.execute(said)
        ),
        worth=tuple(
            BatchWorth(outcome=Outcome(outcome), currency=currency, amount=amount)
            for outcome, currency, amount in connection.execute(summed)
        ),
        checked=batch.total - counts.get(Outcome.WAITING, 0) if foreseen else batch.total,
        finished=0 if foreseen else batch.total - sum(counts.get(each, 0) for each in OPEN),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item. `expected` is what the check foresaw, `sentence` why it is not done. `command_id`
    is that of its last attempt in the command log; times in UTC."""

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
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25


def list_batch_items(question: ListBatchItems, connection: Connection) -> Page[ItemRow]:
    found = select(*_OF_ITEM).where(_ITEM.batch_id == question.batch_id)
    if question.outcome is not None:
        found = found.where(_ITEM.outcome == question.outcome)
    if question.expected is not None:
        found = found.where(_ITEM.expected == question.expected)

    def item(row: Row[Any]) -> ItemRow:
        values = dict(row._mapping) | {"outcome": Outcome(row.outcome)}
        sent = row.outcome not in (Outcome.WAITING, Outcome.SKIPPED, Outcome.CANCELLED)
        made = f"{question.batch_id}.{row.number}.{row.attempt}" if sent else ""
        return ItemRow(**values, command_id=made)

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
    return _DECIDED[decided]


_DECIDED = {
    BatchStarted.__name__: BatchState.RUNNING,
    BatchResumed.__name__: BatchState.RUNNING,
    BatchItemsRetried.__name__: BatchState.RUNNING,
    BatchPaused.__name__: BatchState.PAUSED,
    BatchCancelled.__name__: BatchState.CANCELLED,
    BatchEnded.__name__: BatchState.ENDED,
}


def _row(row: Any, state: BatchState | None = None) -> BatchRow:
    values = {name: row._mapping[name] for name in _NAMES}
    return BatchRow(**values | {"state": state or BatchState(values["state"])})


@query(label="What may be done with a batch", permission=RUN)
class BatchActions(Query):
    """The actions on one batch, each allowed or with the reason why not."""

    batch_id: BatchId
