"""One order with its lines and its timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from cqrs_app.areas.desk.read_models import order_flags, order_lines, order_timeline, orders
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.orders.words import HoldReason, OrderStatus
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Query, Rows, query


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """Where it goes; any part may be empty."""

    name: str
    line1: str
    line2: str
    city: str
    postal_code: str
    country: str

    def __bool__(self) -> bool:
        return any((self.name, self.line1, self.line2, self.city, self.postal_code, self.country))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One line; `amount` is quantity x unit price, exactly."""

    line_no: int
    sku: str
    description: str
    quantity: int
    unit_price: Decimal
    amount: Decimal
    shipped_quantity: int
    cancelled_quantity: int

    @property
    def left(self) -> int:
        return self.quantity - self.shipped_quantity - self.cancelled_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """Something that happened at `at` although today's rules would have refused it: `sentence`
    says why they would have."""

    task: str
    code: str
    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """A whole order; money in its currency, times in UTC. `total` and `units` are without the
    remaining items that were cancelled."""

    order_id: str
    status: OrderStatus
    customer_id: str
    customer_name: str
    country: str
    currency: str
    total: Decimal
    line_count: int
    units: int
    shipped_units: int
    placed_at: datetime
    updated_at: datetime
    hold_reason: HoldReason | None
    carrier: str
    tracking: str
    shipping_address: AddressView
    lines: tuple[LineView, ...]
    flags: tuple[FlagView, ...]
    applied_version: int

    @property
    def cancelled_units(self) -> int:
        return sum(line.cancelled_quantity for line in self.lines)

    @property
    def cancelled_amount(self) -> Decimal:
        lines = ((line.cancelled_quantity, line.unit_price) for line in self.lines)
        return sum((quantity * price for quantity, price in lines), Decimal(0))


_MADE = {"status", "hold_reason", "shipping_address", "lines", "flags"}
_PLAIN = [name for name in OrderView.__annotations__ if name not in _MADE]
_LINE = list(LineView.__annotations__)
_FLAG = list(FlagView.__annotations__)


@query(label="Order", permission=VIEW, reads=("orders",), cached=True)
class GetOrder(Query):
    """The order of this number, or nothing."""

    order_id: OrderId


def get_order(question: GetOrder, connection: Connection) -> OrderView | None:
    found = select(orders).where(orders.c.order_id == question.order_id)
    row = connection.execute(found).mappings().first()
    if row is None:
        return None
    lines = (
        select(*(order_lines.c[name] for name in _LINE))
        .where(order_lines.c.order_id == question.order_id)
        .order_by(order_lines.c.line_no)
    )
    flags = (
        select(*(order_flags.c[name] for name in _FLAG))
        .where(order_flags.c.order_id == question.order_id)
        .order_by(order_flags.c.version)
    )
    return _view(row, connection.execute(lines).mappings(), connection.execute(flags).mappings())


def fold_order(question: GetOrder, rows: Rows) -> OrderView | None:
    row = rows.get(orders, question.order_id)
    return _view(row, rows.all(order_lines), rows.all(order_flags)) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened: `at` when it did, `recorded_at` when the console learned of it.

    `detail` are pairs of a name and a text.
    """

    version: int
    at: datetime
    recorded_at: datetime
    operator: str
    type: str
    label: str
    detail: tuple[tuple[str, str], ...]
    command_id: str
    position: int | None


_ENTRY = list(TimelineEntry.__annotations__)


@query(label="Timeline", permission=VIEW, reads=("order_timeline",), cached=True)
class OrderTimeline(Query):
    """All that happened to one order, oldest first."""

    order_id: OrderId


def timeline(question: OrderTimeline, connection: Connection) -> tuple[TimelineEntry, ...]:
    found = (
        select(*(order_timeline.c[name] for name in _ENTRY))
        .where(order_timeline.c.order_id == question.order_id)
        .order_by(order_timeline.c.version)
    )
    return tuple(_entry(row) for row in connection.execute(found).mappings())


def fold_timeline(question: OrderTimeline, rows: Rows) -> tuple[TimelineEntry, ...]:
    return tuple(_entry(row) for row in rows.all(order_timeline))


def _view(
    row: Mapping[Any, Any],
    lines: Iterable[Mapping[Any, Any]],
    flags: Iterable[Mapping[Any, Any]],
) -> OrderView:
    address = {name: row[f"ship_{name}"] for name in AddressView.__annotations__}
    return OrderView(
        **{name: row[name] for name in _PLAIN},
        status=OrderStatus(row["status"]),
        hold_reason=HoldReason(row["hold_reason"]) if row["hold_reason"] else None,
        shipping_address=AddressView(**address),
        lines=tuple(LineView(**{name: line[name] for name in _LINE}) for line in lines),
        flags=tuple(FlagView(**{name: flag[name] for name in _FLAG}) for flag in flags),
    )


def _entry(row: Mapping[Any, Any]) -> TimelineEntry:
    pairs = msgspec.json.decode(row["detail"], type=tuple[tuple[str, str], ...])
    return TimelineEntry(**{name: row[name] for name in _ENTRY} | {"detail": pairs})
