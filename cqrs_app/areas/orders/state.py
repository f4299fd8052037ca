"""The state of an order, as far as the rules need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

from cqrs_app.areas.orders.amounts import NOTHING, follows_items, part_of
from cqrs_app.areas.orders.events import (
    Address,
    OrderApproved,
    OrderAssigned,
    OrderCancelled,
    OrderDelivered,
    OrderHeld,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    OrderTagAdded,
    OrderTagRemoved,
    RemainingItemsCancelled,
    ShippingAddressChanged,
)
from cqrs_app.areas.orders.types import person_of
from cqrs_app.areas.orders.words import OrderStatus, advance_status
from cqrs_app.kernel import Aggregate, Event

_ENTERED = MappingProxyType(
    {
        OrderApproved: OrderStatus.APPROVED,
        OrderRejected: OrderStatus.REJECTED,
        OrderDelivered: OrderStatus.DELIVERED,
        OrderCancelled: OrderStatus.CANCELLED,
    }
)


@dataclass
class OrderState(Aggregate):
    """Of each line, in order: `left` is the quantity still to ship, `prices` the unit price, `sent`
    what has shipped, empty until something has; `discounts` is by line, where there is one, and
    `follows` what shrinks with the items: see amounts.py. `cancelled` is no longer in `total`.
    `moments` says when each status was entered, a release apart. `addressed`: it has a street and
    a city to ship to."""

    category: ClassVar[str] = "order"
    identity: ClassVar[str] = "order_id"
    shape: ClassVar[int] = 3

    order_id: str = ""
    status: OrderStatus | None = None
    before_hold: OrderStatus | None = None
    hold_reason: str = ""
    moments: dict[OrderStatus, datetime] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    prices: list[Decimal] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    discounts: dict[int, Decimal] = field(default_factory=dict)
    follows: Decimal = NOTHING
    addressed: bool = False
    customer_id: str = ""
    currency: str = ""
    tags: list[str] = field(default_factory=list)
    total: Decimal = NOTHING
    cancelled: Decimal = NOTHING

    @property
    def belongs_to(self) -> str:
        return person_of(self.customer_id)

    @property
    def amount_left(self) -> Decimal:
        """What is still to ship costs, with its share of the order's discounts and taxes."""
        items = all_items = NOTHING
        for line_no, left in enumerate(self.left, start=1):
            quantity, value = self.quantity(line_no), self.value(line_no)
            items, all_items = items + part_of(value, left, quantity), all_items + value
        return items + part_of(self.follows, items, all_items)

    def shipped(self, line_no: int) -> int:
        """How many units of a line have left."""
        return self.sent[line_no - 1] if self.sent else 0

    def quantity(self, line_no: int) -> int:
        """How many units of a line have left or are still to ship."""
        return self.left[line_no - 1] + self.shipped(line_no)

    def value(self, line_no: int) -> Decimal:
        """What these units cost."""
        price = self.prices[line_no - 1]
        return self.quantity(line_no) * price - self.discounts.get(line_no, NOTHING)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case OrderPlaced():
                self.order_id, self.customer_id = event.order_id, event.customer_id
                self.currency, self.total = event.currency, event.total
                self.left = [line.quantity for line in event.lines]
                self.prices = [line.unit_price for line in event.lines]
                self.discounts = {
                    line_no: line.discount
                    for line_no, line in enumerate(event.lines, start=1)
                    if line.discount
                }
                self.follows = follows_items(event.adjustments)
                self.addressed = _is_complete(event.shipping_address)
                self._enter(OrderStatus.PLACED, at)
            case OrderTagAdded() | OrderTagRemoved():
                self._tag(event)
            case OrderAssigned():
                self.customer_id = event.customer_id
            case ShippingAddressChanged():
                self.addressed = _is_complete(event.address)
            case OrderHeld():
                self._hold(event.reason, at)
            case OrderReleased():
                self.status, self.before_hold = OrderStatus(event.status), None
                self.hold_reason = ""
            case OrderShipped():
                self._ship(event)
                shipped = OrderStatus.SHIPPED if event.complete else OrderStatus.PART_SHIPPED
                self._enter(shipped, at)
            case RemainingItemsCancelled():
                self._cancel_remaining()
                self.total -= event.amount
                self.cancelled += event.amount
                # It has shipped since the last of it left.
                self._enter(OrderStatus.SHIPPED, self.moments[OrderStatus.PART_SHIPPED])
            case OrderApproved() | OrderRejected() | OrderDelivered() | OrderCancelled():
                self._enter(_ENTERED[type(event)], at)

    def _tag(self, event: OrderTagAdded | OrderTagRemoved) -> None:
        if isinstance(event, OrderTagAdded):
            self.tags.append(event.tag)
        else:
            self.tags.remove(event.tag)

    def _ship(self, event: OrderShipped) -> None:
        self.sent = self.sent or [0] * len(self.left)
        for line in event.lines:
            self.left[line.line_no - 1] -= line.quantity
            self.sent[line.line_no - 1] += line.quantity

    def _cancel_remaining(self) -> None:
        for line_no, discount in self.discounts.items():
            quantity = self.quantity(line_no)
            self.discounts[line_no] = part_of(discount, self.shipped(line_no), quantity)
        self.left = [0] * len(self.left)

    def _hold(self, reason: str, at: datetime) -> None:
        before = self.before_hold or self.status
        self._enter(OrderStatus.ON_HOLD, at)
        if self.status is OrderStatus.ON_HOLD:
            self.before_hold, self.hold_reason = before, reason

    def _enter(self, status: OrderStatus, at: datetime) -> None:
        self.moments[status] = at
        self.status = advance_status(self.status, status)
        if self.status is not OrderStatus.ON_HOLD:
            self.before_hold, self.hold_reason = None, ""
        elif self.before_hold and status is not OrderStatus.ON_HOLD:
            self.before_hold = advance_status(self.before_hold, status)


def _is_complete(address: Address) -> bool:
    """Also of one that was erased since: erasing leaves empty parts empty, and others not."""
    return bool(address.line1 and address.city)
