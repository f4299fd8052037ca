"""An order: what may be done with it, and what that leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from cqrs_app.areas.orders import rules
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelOrder,
    ChangeShippingAddress,
    DeliverOrder,
    HoldOrder,
    PlaceOrder,
    RejectOrder,
    ReleaseOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.events import (
    Address,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderFlagged,
    OrderHeld,
    OrderNoteAdded,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    PricedLine,
    SentLine,
    ShippingAddressChanged,
)
from cqrs_app.areas.orders.types import ShippingAddress, amount_of, person_of
from cqrs_app.areas.orders.words import OrderStatus, further
from cqrs_app.kernel.commands.aggregate import Aggregate, Decision, objections
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command, Event


@dataclass
class Order(Aggregate):
    """Only what the rules need. `left` is the quantity still to ship of each line, in order;
    `moments` says when each status was entered, a release apart."""

    category: ClassVar[str] = "order"
    identity: ClassVar[str] = "order_id"

    order_id: str = ""
    status: OrderStatus | None = None
    before_hold: OrderStatus | None = None
    hold_reason: str = ""
    moments: dict[OrderStatus, datetime] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    customer_id: str = ""
    currency: str = ""
    total: Decimal = Decimal(0)

    @property
    def belongs_to(self) -> str:
        return person_of(self.customer_id)

    def place(self, command: PlaceOrder) -> Decision:
        rules.may_place(self)
        yield OrderPlaced(
            order_id=command.order_id,
            customer_id=command.customer_id,
            customer_name=command.customer_name,
            country=command.country,
            shipping_address=_address(command.shipping_address),
            currency=command.currency,
            lines=tuple(
                PricedLine(
                    sku=line.sku,
                    description=line.description,
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                )
                for line in command.lines
            ),
            total=amount_of(command.lines),
        )
        yield from objections(rules.must_have_lines, self)

    def approve(self, command: ApproveOrder) -> Decision:
        yield from objections(rules.may_approve, self)
        yield OrderApproved(order_id=command.order_id)

    def reject(self, command: RejectOrder) -> Decision:
        yield from objections(rules.may_reject, self)
        yield OrderRejected(
            order_id=command.order_id,
            reason=command.reason,
            customer_id=self.customer_id,
            currency=self.currency,
            total=self.total,
        )

    def hold(self, command: HoldOrder) -> Decision:
        yield from objections(rules.may_hold, self)
        yield OrderHeld(order_id=command.order_id, reason=str(command.reason), note=command.note)

    def release(self, command: ReleaseOrder) -> Decision:
        yield from objections(rules.may_release, self)
        back_to = self.before_hold or self.status
        yield OrderReleased(order_id=command.order_id, status=str(back_to))

    def change_address(self, command: ChangeShippingAddress) -> Decision:
        yield from objections(rules.may_change_address, self)
        yield ShippingAddressChanged(order_id=command.order_id, address=_address(command.address))

    def add_note(self, command: AddOrderNote) -> Decision:
        rules.may_note(self)
        yield OrderNoteAdded(order_id=command.order_id, note=command.note)

    def ship(self, command: ShipOrder) -> Decision:
        yield from objections(rules.may_ship, self)
        lines = tuple(self._to_send(command))
        yield OrderShipped(
            order_id=command.order_id,
            lines=lines,
            carrier=command.carrier,
            tracking=command.tracking,
            complete=sum(line.quantity for line in lines) == sum(self.left),
        )

    def deliver(self, command: DeliverOrder) -> Decision:
        yield from objections(rules.may_deliver, self)
        yield OrderDelivered(order_id=command.order_id)

    def cancel(self, command: CancelOrder) -> Decision:
        yield from objections(rules.may_cancel, self)
        yield OrderCancelled(
            order_id=command.order_id,
            reason=str(command.reason),
            note=command.note,
            customer_id=self.customer_id,
            currency=self.currency,
            total=self.total,
        )

    def flag(self, objection: Refused, command: Command) -> Event:
        """History is let in against the rules that ask where the order stands.

        Not where there is no order, nor where it was given up before: nothing can have happened.
        """
        given_up = self.status in (OrderStatus.CANCELLED, OrderStatus.REJECTED)
        if self.status is None or (given_up and isinstance(command, RejectOrder | CancelOrder)):
            raise objection
        return OrderFlagged(
            order_id=self.order_id,
            task=type(command).__name__,
            code=objection.code,
            sentence=objection.sentence,
        )

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case OrderPlaced():
                self.order_id, self.customer_id = event.order_id, event.customer_id
                self.currency, self.total = event.currency, event.total
                self.left = [line.quantity for line in event.lines]
                self._enter(OrderStatus.PLACED, at)
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
            case OrderApproved():
                self._enter(OrderStatus.APPROVED, at)
            case OrderRejected():
                self._enter(OrderStatus.REJECTED, at)
            case OrderDelivered():
                self._enter(OrderStatus.DELIVERED, at)
            case OrderCancelled():
                self._enter(OrderStatus.CANCELLED, at)

    def _hold(self, reason: str, at: datetime) -> None:
        before = self.before_hold or self.status
        self._enter(OrderStatus.ON_HOLD, at)
        if self.status is OrderStatus.ON_HOLD:
            self.before_hold, self.hold_reason = before, reason

    def _enter(self, status: OrderStatus, at: datetime) -> None:
        self.moments[status] = at
        self.status = further(self.status, status)
        if self.status is not OrderStatus.ON_HOLD:
            self.before_hold, self.hold_reason = None, ""
        elif self.before_hold and status is not OrderStatus.ON_HOLD:
            self.before_hold = further(self.before_hold, status)

    def _to_send(self, command: ShipOrder) -> Iterator[SentLine]:
        if not command.lines:
            for line_no, left in enumerate(self.left, start=1):
                if left:
                    yield SentLine(line_no=line_no, quantity=left)
        for line in command.lines:
            if line.line_no > len(self.left):
                raise Refused(
                    "no_such_line",
                    f"Order {self.order_id} has no line {line.line_no}; "
                    f"its last line is {len(self.left)}.",
                )
            left = self.left[line.line_no - 1]
            if line.quantity > left:
                raise Refused(
                    "more_than_left",
                    f"Line {line.line_no} of order {self.order_id} has {left} left to ship; "
                    f"{line.quantity} cannot be shipped.",
                )
            yield SentLine(line_no=line.line_no, quantity=line.quantity)


def _address(address: ShippingAddress) -> Address:
    return Address(
        name=address.name,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        postal_code=address.postal_code,
        country=address.country,
    )
