"""The state of an order, as far as the rules need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

from cqrs_app.areas.orders.events import (
    Address,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderHeld,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
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
    """`left` is the quantity still to ship of each line, in order, `prices` are their unit prices;
    `moments` says when each status was entered, a release apart. `addressed`: it has a street and
    a city to ship to."""

    category: ClassVar[str] = "order"
    identity: ClassVar[str] = "order_id"
    shape: ClassVar[int] = 2

    order_id: str = ""
    status: OrderStatus | None = None
    before_hold: OrderStatus | None = None
    hold_reason: str = ""
    moments: dict[OrderStatus, datetime] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    prices: list[Decimal] = field(default_factory=list)
    addressed: bool = False
    customer_id: str = ""
    currency: str = ""
    total: Decimal = Decimal(0)

    @property
    def belongs_to(self) -> str:
        return person_of(self.customer_id)

    @property
    def amount_left(self) -> Decimal:
        """What is still to ship costs, exactly."""
        pairs = zip(self.left, self.prices, strict=True)
        return sum((left * price for left, price in pairs), Decimal(0))

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case OrderPlaced():
                self.order_id, self.customer_id = event.order_id, event.customer_id
                self.currency, self.total = event.currency, event.total
                self.left = [line.quantity for line in event.lines]
                self.prices = [line.unit_price for line in event.lines]
                self.addressed = _is_complete(event.shipping_address)
                self._enter(OrderStatus.PLACED, at)
            case ShippingAddressChanged():
                self.addressed = _is_complete(event.address)
            case OrderHeld():
                self._hold(event.reason, at)
            case OrderReleased():
                self.status, self.before_hold = OrderStatus(event.status), None
                self.hold_reason = ""
            case OrderShipped():
                for line in event.lines:
                    self.left[line.line_no - 1] -= line.quantity
                shipped = OrderStatus.SHIPPED if event.complete else OrderStatus.PART_SHIPPED
                self._enter(shipped, at)
            case RemainingItemsCancelled():
                self.left = [0] * len(self.left)
                self.total -= event.amount
                # It has shipped since the last of it left.
                self._enter(OrderStatus.SHIPPED, self.moments[OrderStatus.PART_SHIPPED])
            case OrderApproved() | OrderRejected() | OrderDelivered() | OrderCancelled():
                self._enter(_ENTERED[type(event)], at)

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
