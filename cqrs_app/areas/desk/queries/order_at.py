"""One order as it was at a point in the past, beside the order as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from sys import maxsize
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView, fold_order, streams_beside
from cqrs_app.areas.desk.queries.timeline import (
    TimelineEntry,
    entries_of,
    in_order_of_the_log,
    stream_of,
)
from cqrs_app.areas.desk.read_models import order_timeline
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import WHOLE, Past, PastRows, Query, Row, UnreadableEvent, Until, query
from cqrs_app.kernel.effects import StoredEvent

Version = Annotated[int, Meta(title="Version", ge=0, le=2**31 - 1)]
Position = Annotated[int, Meta(title="Position", ge=0, le=2**53)]
At = Annotated[
    datetime,
    Meta(title="Time", description="When it happened, not when it was recorded.", tz=True),
]

_PAYMENT = "payment-"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentThen:
    """A payment of the order; sums in its currency."""

    payment_id: str
    status: PaymentStatus
    currency: str
    amount: Decimal
    captured: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StockThen:
    """Units of a product that were reserved for the order or had been shipped for it."""

    sku: str
    reserved: int
    shipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSnapshot:
    """Everything about the order at one point. `notes` are timeline entries, oldest first.
    `unreadable` lists payments that cannot be shown because one of their events is damaged.
    """

    order: OrderView
    payments: tuple[PaymentThen, ...]
    stock: tuple[StockThen, ...]
    notes: tuple[TimelineEntry, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAt:
    """`version` is the order's then, `newest` is its current one. `timeline` are the entries until
    then, oldest first. `then` is None before the order was placed, `now` where a later event is
    damaged."""

    order_id: str
    version: int
    newest: int
    timeline: tuple[TimelineEntry, ...]
    then: OrderSnapshot | None
    now: OrderSnapshot | None

    @property
    def entry(self) -> TimelineEntry | None:
        """What happened last until then."""
        return self.timeline[-1] if self.timeline else None


@query(
    label="Order at a point in the past", permission=VIEW, reads=("order_timeline",), personal=True
)
class GetOrderAt(Query):
    """The order after one of its versions, with everything recorded by then in other areas; or
    after the timeline entry at a position of the log; or at a time. A strong answer leaves out
    payments and stock. None if there is no such order.
    """

    order_id: OrderId
    version: Version | None = None
    position: Position | None = None
    at: At | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        given = [name for name in ("version", "position", "at") if getattr(self, name) is not None]
        if len(given) > 1:
            yield given[1], "Give one of version, position and time."


def get_order_at(question: GetOrderAt, past: Past, connection: Connection | None) -> OrderAt | None:
    until = Until(version=question.version, position=question.position, at=question.at)
    then = _orders(question, past, until)
    if not then.newest:
        return None
    timeline = _timeline(question, past, connection)
    now = _now(question, timeline, past)
    if then.last is None:
        return OrderAt(
            order_id=question.order_id,
            version=0,
            newest=then.newest,
            timeline=(),
            then=None,
            now=now,
        )
    others = until if until.version is None else Until(position=then.last.position)
    rows = [row for row in timeline if _is_until(row, then.last, others)]
    return OrderAt(
        order_id=question.order_id,
        version=then.last.version,
        newest=then.newest,
        timeline=tuple(entries_of(rows)),
        then=_snapshot(question, then, rows, past, others),
        now=now,
    )


def _orders(question: GetOrderAt, past: Past, until: Until) -> PastRows:
    beside = streams_beside(question)
    return past.rows("orders", stream_of(question.order_id), until, beside)


def _timeline(question: GetOrderAt, past: Past, connection: Connection | None) -> Sequence[Row]:
    if connection is None:
        own, beside = stream_of(question.order_id), streams_beside(question)
        folded = past.rows("order_timeline", own, beside=beside)
        return in_order_of_the_log(folded.rows, question.order_id)
    columns = order_timeline.c
    found = select(order_timeline).where(columns.order_id == question.order_id)
    rows = connection.execute(found.order_by(columns.position)).mappings()
    return [dict(row) for row in rows]


def _is_until(row: Row, last: StoredEvent, others: Until) -> bool:
    """Whether the timeline had this row. `last` is the order's last event at that point."""
    if row["stream"] == last.stream:
        return bool(row["version"] <= last.version)
    if others.position is not None:
        return bool((row["position"] or maxsize) <= others.position)
    return others.at is None or bool(row["at"] <= others.at)


def _now(question: GetOrderAt, timeline: Sequence[Row], past: Past) -> OrderSnapshot | None:
    try:
        now = _orders(question, past, WHOLE)
    except UnreadableEvent:
        return None
    return _snapshot(question, now, timeline, past, WHOLE)


def _snapshot(
    question: GetOrderAt, found: PastRows, timeline: Sequence[Row], past: Past, until: Until
) -> OrderSnapshot | None:
    order = fold_order(GetOrder(order_id=question.order_id), found.rows)
    if order is None:
        return None
    payments, unreadable = _payments(question.order_id, timeline, past, until)
    notes = (row for row in timeline if row["kind"] == EntryKind.NOTE)
    return OrderSnapshot(
        order=order,
        payments=tuple(payments),
        stock=tuple(_stock(timeline)),
        notes=tuple(entries_of(notes)),
        unreadable=tuple(unreadable),
    )


def _payments(
    order_id: str, timeline: Sequence[Row], past: Past, until: Until
) -> tuple[list[PaymentThen], list[str]]:
    found, unreadable = [], []
    streams = dict.fromkeys(row["stream"] for row in timeline)
    payments = [stream for stream in streams if stream.startswith(_PAYMENT)]
    for stream, moment in past.moments(payments, until):
        if isinstance(moment, UnreadableEvent):
            unreadable.append(stream.removeprefix(_PAYMENT))
            continue
        payment: Any = moment.aggregate
        # The payment may have been moved to another order by then.
        if payment.order_id == order_id:
            found.append(_payment(payment))
    return found, unreadable


def _payment(payment: Any) -> PaymentThen:
    names = PaymentThen.__annotations__
    return PaymentThen(**{name: getattr(payment, name) for name in names})


def _stock(timeline: Sequence[Row]) -> Iterator[StockThen]:
    """The sums of the order's stock entries, per product."""
    reserved: dict[str, int] = {}
    shipped: dict[str, int] = {}
    for row in timeline:
        sku, quantity = row["item"], row["quantity"]
        match row["type"]:
            case "StockReserved" | "StockReservationChanged":
                reserved[sku] = quantity
            case "StockReleased":
                reserved[sku] = 0
            case "StockCommitted":
                reserved[sku] = reserved.get(sku, 0) - quantity
                shipped[sku] = shipped.get(sku, 0) + quantity
    for sku in sorted(reserved):
        if reserved[sku] or shipped.get(sku):
            yield StockThen(sku=sku, reserved=reserved[sku], shipped=shipped.get(sku, 0))
