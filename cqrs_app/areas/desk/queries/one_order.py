"""One order with its lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from cqrs_app.areas.desk.read_models import (
    order_flags,
    order_lines,
    order_return_lines,
    order_returns,
    orders,
)
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.orders.amounts import NOTHING, amount_of, price_of
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.orders.words import (
    AdjustmentKind,
    HoldReason,
    OrderStatus,
    ReturnReason,
    ReturnStatus,
)
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Query, Rows, query


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """Where an order or its invoice goes; any part may be empty."""

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
    """One line; `amount` is quantity x unit price less the discount, exactly."""

    line_no: int
    sku: str
    description: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    amount: Decimal
    shipped_quantity: int
    cancelled_quantity: int
    returned_quantity: int

    @property
    def left(self) -> int:
        return self.quantity - self.shipped_quantity - self.cancelled_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLineView:
    """What a return is for, and how many units came back: restocked, and written off."""

    line_no: int
    quantity: int
    restocked: int
    written_off: int

    @property
    def received(self) -> int:
        return self.restocked + self.written_off


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnView:
    """One return; `amount` is what the units received cost. It is closed when it was received or
    cancelled."""

    return_id: str
    status: ReturnStatus
    reason: ReturnReason
    note: str
    requested_at: datetime
    closed_at: datetime | None
    amount: Decimal
    lines: tuple[ReturnedLineView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentView:
    """A discount off the whole order, or its shipping, tax or fee; the amount is positive."""

    kind: AdjustmentKind
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """Something that happened at `at` although today's rules would have refused it, with the
    sentence of that refusal.
    """

    task: str
    code: str
    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """A whole order; money in its currency, times in UTC. `stage` is what its status and its
    fulfilment come to; `decision` says what somebody has to decide before it goes on. `total` and
    `units` are without the remaining items that were cancelled; `discount` (of the lines too),
    `shipping`, `tax` and `fee` are as ordered. An empty billing address is the shipping address.
    `exchange_for` is the order whose returned items it replaces."""

    order_id: str
    stage: OrderStage
    stage_since: datetime
    decision: str
    status: OrderStatus
    customer_id: str
    customer_name: str
    country: str
    currency: str
    total: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    fee: Decimal
    adjustments: tuple[AdjustmentView, ...]
    tags: tuple[str, ...]
    line_count: int
    units: int
    shipped_units: int
    returned_units: int
    placed_at: datetime
    updated_at: datetime
    assignee: str
    team: str
    hold_reason: HoldReason | None
    exchange_for: str
    carrier: str
    tracking: str
    shipping_address: AddressView
    billing_address: AddressView
    lines: tuple[LineView, ...]
    returns: tuple[ReturnView, ...]
    flags: tuple[FlagView, ...]
    applied_version: int

    @property
    def returned_amount(self) -> Decimal:
        """What the returned units cost."""
        return sum((each.amount for each in self.returns), Decimal(0))

    @property
    def cancelled_units(self) -> int:
        return sum(line.cancelled_quantity for line in self.lines)

    @property
    def subtotal(self) -> Decimal:
        """What the lines would cost without any discount."""
        return price_of(self.lines)

    @property
    def line_discount(self) -> Decimal:
        return sum((line.discount for line in self.lines), NOTHING)

    @property
    def cancelled_amount(self) -> Decimal:
        """By how much cancelling the remaining items lowered the order's total."""
        return amount_of(self.lines, self.adjustments) - self.total


_MADE = {
    *("stage", "status", "hold_reason", "shipping_address", "billing_address"),
    *("adjustments", "tags", "lines", "returns", "flags"),
}
_PLAIN = [name for name in OrderView.__annotations__ if name not in _MADE]
_LINE = list(LineView.__annotations__)
_FLAG = list(FlagView.__annotations__)
_RETURN = [name for name in ReturnView.__annotations__ if name != "lines"]
_RETURNED = list(ReturnedLineView.__annotations__)


@query(label="Order", permission=VIEW, reads=("orders",), cached=True, personal=True)
class GetOrder(Query):
    """The order of this number; None if there is none."""

    order_id: OrderId


def get_order(question: GetOrder, connection: Connection) -> OrderView | None:
    found = select(orders).where(orders.c.order_id == question.order_id)
    row = connection.execute(found).mappings().first()
    if row is None:
        return None
    return view_of(row, lambda table: _rows_of(table, question.order_id, connection))


def fold_order(question: GetOrder, rows: Rows) -> OrderView | None:
    row = rows.get(orders, question.order_id)
    return view_of(row, rows.all) if row else None


def _rows_of(table: Table, order_id: str, connection: Connection) -> Sequence[Mapping[Any, Any]]:
    """The rows of one order, by their key."""
    found = select(table).where(table.c.order_id == order_id).order_by(*table.primary_key)
    return connection.execute(found).mappings().all()


def streams_beside(question: Any) -> tuple[str, ...]:
    """Events that change the order's stage or assignee, besides the order's own."""
    return (f"fulfilment-{question.order_id}", f"assignment-{question.order_id}")


def view_of(
    row: Mapping[Any, Any], rows_of: Callable[[Table], Sequence[Mapping[Any, Any]]]
) -> OrderView:
    """The view of an order; `rows_of` gives its rows in another table."""
    return OrderView(
        **{name: row[name] for name in _PLAIN},
        stage=OrderStage(row["stage"]),
        status=OrderStatus(row["status"]),
        hold_reason=HoldReason(row["hold_reason"]) if row["hold_reason"] else None,
        shipping_address=_address("ship", row),
        billing_address=_address("bill", row),
        tags=msgspec.json.decode(row["tags"], type=tuple[str, ...]),
        adjustments=msgspec.json.decode(row["adjustments"], type=tuple[AdjustmentView, ...]),
        lines=tuple(LineView(**_named(_LINE, line)) for line in rows_of(order_lines)),
        returns=tuple(_returns(rows_of(order_returns), rows_of(order_return_lines))),
        flags=tuple(FlagView(**_named(_FLAG, flag)) for flag in rows_of(order_flags)),
    )


def _returns(
    rows: Sequence[Mapping[Any, Any]], lines: Sequence[Mapping[Any, Any]]
) -> Iterator[ReturnView]:
    """In the order in which they were requested."""
    for row in sorted(rows, key=lambda each: int(each["return_id"][1:])):
        mine = (each for each in lines if each["return_id"] == row["return_id"])
        known = _named(_RETURN, row) | {
            "status": ReturnStatus(row["status"]),
            "reason": ReturnReason(row["reason"]),
        }
        yield ReturnView(
            **known, lines=tuple(ReturnedLineView(**_named(_RETURNED, each)) for each in mine)
        )


def _named(names: Iterable[str], row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _address(prefix: str, row: Mapping[Any, Any]) -> AddressView:
    return AddressView(**{name: row[f"{prefix}_{name}"] for name in AddressView.__annotations__})
