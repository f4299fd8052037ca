"""The state of an order, as far as the rules need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

from cqrs_app.areas.orders.amounts import NOTHING, follows_items, part_of
from cqrs_app.areas.orders.events import (
    Address,
    Adjustment,
    AttachmentRemoved,
    FileAttached,
    OrderApproved,
    OrderAssigned,
    OrderCancelled,
    OrderDelivered,
    OrderHeld,
    OrderLinesChanged,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    OrderTagAdded,
    OrderTagRemoved,
    RemainingItemsCancelled,
    ReturnCancelled,
    ReturnReceived,
    ReturnRequested,
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
    what has shipped, empty until something has; `discounts` is by line, where there is one;
    `adjustments` are for the whole order, and `follows` what of them shrinks with the items: see
    amounts.py. `cancelled` is no longer in `total`. A
    line keeps its number: one that was removed has a quantity of 0. `moments` says when each
    status was entered, a release apart. `addressed`: it has a street and a city to ship to.
    `returning` is what each open return is for, by line, and `returned` what came back; `returns`
    counts the returns there ever were. `attachments` are the ids of files, in the order in which
    they were attached; that of one that was removed is empty."""

    category: ClassVar[str] = "order"
    identity: ClassVar[str] = "order_id"
    shape: ClassVar[int] = 6

    order_id: str = ""
    status: OrderStatus | None = None
    before_hold: OrderStatus | None = None
    hold_reason: str = ""
    moments: dict[OrderStatus, datetime] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    prices: list[Decimal] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    discounts: dict[int, Decimal] = field(default_factory=dict)
    adjustments: list[Adjustment] = field(default_factory=list)
    follows: Decimal = NOTHING
    returning: dict[str, dict[int, int]] = field(default_factory=dict)
    returned: dict[int, int] = field(default_factory=dict)
    returns: int = 0
    addressed: bool = False
    customer_id: str = ""
    currency: str = ""
    tags: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    total: Decimal = NOTHING
    cancelled: Decimal = NOTHING

    @property
    def belongs_to(self) -> str:
        return person_of(self.customer_id)

    @property
    def worth(self) -> Mapping[str, Decimal]:
        return {self.currency: self.total} if self.currency else {}

    @property
    def amount_left(self) -> Decimal:
        """What the items left to ship cost, with their share of the order's discounts and taxes."""
        return self.share_of(dict(enumerate(self.left, start=1)))

    def share_of(self, units: Mapping[int, int]) -> Decimal:
        """What so many units of each line cost, with their share of the order's discounts and
        taxes.
        """
        items = self.items(units)
        everything = sum(map(self.value, range(1, len(self.left) + 1)), NOTHING)
        return items + part_of(self.follows, items, everything)

    def items(self, units: Mapping[int, int]) -> Decimal:
        """What so many units of each line cost without the order-wide amounts."""
        parts = (part_of(self.value(no), each, self.quantity(no)) for no, each in units.items())
        return sum(parts, NOTHING)

    def shipped(self, line_no: int) -> int:
        """How many units of a line have shipped."""
        return self.sent[line_no - 1] if self.sent else 0

    def quantity(self, line_no: int) -> int:
        """How many units of a line have shipped or are still to ship."""
        return self.left[line_no - 1] + self.shipped(line_no)

    def value(self, line_no: int) -> Decimal:
        """What these units cost."""
        price = self.prices[line_no - 1]
        return self.quantity(line_no) * price - self.discounts.get(line_no, NOTHING)

    def returnable(self, line_no: int) -> int:
        """How many shipped units of a line are neither returned nor requested back."""
        requested = sum(lines.get(line_no, 0) for lines in self.returning.values())
        return self.shipped(line_no) - self.returned.get(line_no, 0) - requested

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
                self._adjust(event.adjustments)
                self.addressed = _is_complete(event.shipping_address)
                self._enter(OrderStatus.PLACED, at)
            case OrderTagAdded() | OrderTagRemoved() | FileAttached() | AttachmentRemoved():
                self._keep(event)
            case OrderAssigned():
                self.customer_id = event.customer_id
            case ShippingAddressChanged():
                self.addressed = _is_complete(event.address)
            case OrderHeld():
                self._hold(event.reason, at)
            case OrderReleased():
                self.status, self.before_hold = OrderStatus(event.status), None
                self.hold_reason = ""
            case OrderShipped() | OrderLinesChanged() | RemainingItemsCancelled():
                self._change(event, at)
            case ReturnRequested() | ReturnReceived() | ReturnCancelled():
                self._return(event)
            case OrderApproved() | OrderRejected() | OrderDelivered() | OrderCancelled():
                self._enter(_ENTERED[type(event)], at)

    def _keep(
        self, event: OrderTagAdded | OrderTagRemoved | FileAttached | AttachmentRemoved
    ) -> None:
        match event:
            case OrderTagAdded():
                self.tags.append(event.tag)
            case OrderTagRemoved():
                self.tags.remove(event.tag)
            case FileAttached():
                self.attachments.append(event.file_id)
            case AttachmentRemoved():
                self.attachments[event.number - 1] = ""

    def _change(
        self, event: OrderShipped | OrderLinesChanged | RemainingItemsCancelled, at: datetime
    ) -> None:
        match event:
            case OrderShipped():
                self._ship(event)
                shipped = OrderStatus.SHIPPED if event.complete else OrderStatus.PART_SHIPPED
                self._enter(shipped, at)
            case OrderLinesChanged():
                self._change_lines(event)
            case RemainingItemsCancelled():
                self._cancel_remaining()
                self.total -= event.amount
                self.cancelled += event.amount
                # It has shipped since the last of it left.
                self._enter(OrderStatus.SHIPPED, self.moments[OrderStatus.PART_SHIPPED])

    def _ship(self, event: OrderShipped) -> None:
        self.sent = self.sent or [0] * len(self.left)
        for line in event.lines:
            self.left[line.line_no - 1] -= line.quantity
            self.sent[line.line_no - 1] += line.quantity

    def _change_lines(self, event: OrderLinesChanged) -> None:
        for line in event.lines:
            self.left[line.line_no - 1] = line.quantity - self.shipped(line.line_no)
            self.prices[line.line_no - 1] = line.unit_price
            self.discounts[line.line_no] = line.discount
        for line_no, added in enumerate(event.added, start=len(self.left) + 1):
            self.discounts[line_no] = added.discount
        self.discounts = {no: each for no, each in self.discounts.items() if each}
        self.left += [line.quantity for line in event.added]
        self.prices += [line.unit_price for line in event.added]
        if self.sent:
            self.sent += [0] * len(event.added)
        if event.adjustments is not None:
            self._adjust(event.adjustments)
        self.total = event.total

    def _adjust(self, adjustments: Iterable[Adjustment]) -> None:
        self.adjustments = list(adjustments)
        self.follows = follows_items(self.adjustments)

    def _return(self, event: ReturnRequested | ReturnReceived | ReturnCancelled) -> None:
        if isinstance(event, ReturnRequested):
            self.returns += 1
            self.returning[event.return_id] = {each.line_no: each.quantity for each in event.lines}
            return
        self.returning.pop(event.return_id)
        for line in event.lines if isinstance(event, ReturnReceived) else ():
            before = self.returned.get(line.line_no, 0)
            self.returned[line.line_no] = before + line.restocked + line.written_off

    def _cancel_remaining(self) -> None:
        left = dict(enumerate(self.left, start=1))
        self.follows -= self.share_of(left) - self.items(left)
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
    """Also for an address that was erased since: erasing leaves empty parts empty and fills the
    others.
    """
    return bool(address.line1 and address.city)
