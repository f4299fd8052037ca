"""An order's timeline: what happened to it in every area."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from sys import maxsize
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.areas.desk.entries.entry import Pairs
from cqrs_app.areas.desk.entries.orders import ADDRESS, BILLING_ADDRESS
from cqrs_app.areas.desk.read_models import order_timeline
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Query, Row, Rows, query

MOST_ITEMS = 5
"""How many products an entry names before it only counts them."""

Newest = Annotated[int, Meta(title="Newest", description="How many, at most.", ge=1, le=10_000)]

_ADDRESSES = (ADDRESS, BILLING_ADDRESS)
_ROW = order_timeline.c


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened: `at` when it did, `recorded_at` when the console learned of it.
    `version` is that of `stream`, which may be a payment's or a product's. `detail` are pairs of a
    name and a text, `before` the former texts, by name, of those that changed. What happened to
    several products at once is one entry."""

    stream: str
    version: int
    kind: EntryKind
    at: datetime
    recorded_at: datetime
    operator: str
    type: str
    label: str
    detail: Pairs
    before: dict[str, str]
    command_id: str
    position: int | None


_PLAIN = [
    name for name in TimelineEntry.__annotations__ if name not in ("kind", "detail", "before")
]


@query(label="Timeline", permission=VIEW, reads=("order_timeline",), cached=True, personal=True)
class OrderTimeline(Query):
    """The timeline of one order, oldest first. A strong answer leaves out payments and stock."""

    order_id: OrderId
    kind: Annotated[EntryKind | None, Meta(title="Kind")] = None
    newest: Newest | None = None


def timeline(question: OrderTimeline, connection: Connection) -> tuple[TimelineEntry, ...]:
    found = (
        select(order_timeline)
        .where(_ROW.order_id == question.order_id)
        .order_by(_ROW.position, _ROW.stream)
    )
    return _chosen(question, connection.execute(found).mappings())


def fold_timeline(question: OrderTimeline, rows: Rows) -> tuple[TimelineEntry, ...]:
    return _chosen(question, in_order_of_the_log(rows, question.order_id))


@query(label="Version of a timeline", permission=VIEW, reads=("order_timeline",), cached=True)
class TimelineVersion(Query):
    """The order's version that its timeline includes; 0 if it has no entries."""

    order_id: OrderId


def timeline_version(question: TimelineVersion, connection: Connection) -> int:
    found = select(func.max(_ROW.version)).where(
        _ROW.order_id == question.order_id, _ROW.stream == stream_of(question.order_id)
    )
    return connection.execute(found).scalar() or 0


def fold_timeline_version(question: TimelineVersion, rows: Rows) -> int:
    own = stream_of(question.order_id)
    return max(
        (row["version"] for row in rows.all(order_timeline) if row["stream"] == own), default=0
    )


def in_order_of_the_log(rows: Rows, order_id: str) -> list[Row]:
    """A fold's rows of this order. Those without a position yet come last."""
    mine = (row for row in rows.all(order_timeline) if row["order_id"] == order_id)
    return sorted(mine, key=lambda row: row["position"] or maxsize)


def stream_of(order_id: str) -> str:
    """The order's own stream."""
    return f"order-{order_id}"


def _chosen(
    question: OrderTimeline, rows: Iterable[Mapping[Any, Any]]
) -> tuple[TimelineEntry, ...]:
    entries = [
        entry for entry in entries_of(rows) if question.kind is None or entry.kind is question.kind
    ]
    return tuple(entries[-question.newest :] if question.newest else entries)


def entries_of(rows: Iterable[Mapping[Any, Any]]) -> Iterator[TimelineEntry]:
    """The entries of one order's rows, which are in the order of the log."""
    addresses: dict[str, str] = {}
    for _, together in groupby(rows, _group):
        entry = _joined(list(together))
        changed = {name: text for name, text in entry.detail if name in _ADDRESSES}
        before = {name: addresses[name] for name in changed if name in addresses}
        addresses |= changed
        yield replace(entry, before=entry.before | before) if before else entry


def _group(row: Mapping[Any, Any]) -> Any:
    """Rows with the same value become one entry: for stock, the event type and the actor."""
    if row["item"] and row["kind"] == EntryKind.STOCK:
        return row["type"], row["operator"]
    return row["stream"], row["version"]


def _joined(rows: list[Mapping[Any, Any]]) -> TimelineEntry:
    last = rows[-1]
    pairs = [*_decoded(last["personal"]).items(), *_pairs(last)]
    if len(rows) > 1:
        pairs = [pair for row in rows[:MOST_ITEMS] for pair in _pairs(row)]
        rest = rows[MOST_ITEMS:]
        if rest:
            units = sum(row["quantity"] for row in rest)
            pairs.append((f"{len(rest):,} more products", f"{units:,} units"))
    return TimelineEntry(
        **{name: last[name] for name in _PLAIN},
        kind=EntryKind(last["kind"]),
        detail=tuple(pairs),
        before=_decoded(last["before"]),
    )


def _pairs(row: Mapping[Any, Any]) -> Pairs:
    return msgspec.json.decode(row["detail"], type=Pairs)


def _decoded(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])
