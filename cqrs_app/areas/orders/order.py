"""An order: the actions on it, in the order in which its page offers them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cqrs_app.areas.orders.amounts import amount_of
from cqrs_app.areas.orders.assigning import order_to_assign
from cqrs_app.areas.orders.attachments import OrderAttachments
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    AddOrderTag,
    ApproveOrder,
    AssignOrderToCustomer,
    AttachFile,
    CancelOrder,
    CancelRemainingItems,
    CancelReturn,
    ChangeBillingAddress,
    ChangeOrderLines,
    ChangeShippingAddress,
    DeliverOrder,
    HoldOrder,
    PlaceOrder,
    ReceiveReturn,
    RejectOrder,
    ReleaseOrder,
    RemoveAttachment,
    RemoveOrderTag,
    ShipOrder,
)
from cqrs_app.areas.orders.events import (
    Address,
    BillingAddressChanged,
    CancelledLine,
    OrderApproved,
    OrderAssigned,
    OrderCancelled,
    OrderDelivered,
    OrderFlagged,
    OrderHeld,
    OrderNoteAdded,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    OrderTagAdded,
    OrderTagRemoved,
    RemainingItemsCancelled,
    ShippingAddressChanged,
)
from cqrs_app.areas.orders.lines import adjusted, lines_changed, ordered, to_send
from cqrs_app.areas.orders.returns import OrderReturns
from cqrs_app.areas.orders.rules import (
    BEFORE_PLACED,
    COUNTRY_NEEDED,
    DISCOUNT_TOO_HIGH,
    FEWER_THAN_SHIPPED,
    INACTIVE_CUSTOMER,
    MORE_THAN_LEFT,
    NO_LINES,
    NO_SUCH_LINE,
    NO_SUCH_ORDER,
    NOT_TAGGED,
    NOTHING_LEFT,
    NOTHING_TO_EXCHANGE,
    ORDER_EXISTS,
    ORDER_TOO_LARGE,
    PERSON_ERASED,
    SAME_CUSTOMER,
    SAME_LINES,
    SHIPPED_PRICE,
    TAGGED,
    TOO_MANY_TAGS,
    UNKNOWN_CUSTOMER,
    UNKNOWN_PRODUCT,
    exists,
    in_status,
    in_the_future,
    moment,
    nothing_shipped,
    shipped_in_part,
)
from cqrs_app.areas.orders.types import MOST_TAGS, BillingAddress, ShippingAddress, person_of
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.areas.types import (
    UNKNOWN_COUNTRY,
    WITHDRAWN_CURRENCY,
    unknown_country,
    withdrawn_currency,
)
from cqrs_app.kernel import Command, Decision, Event, Ownership, Refused, handles
from cqrs_app.standards.money import exact

_S = OrderStatus


@dataclass
class Order(OrderReturns, OrderAttachments):
    """The rules that depend on the status are at each method; imported history is accepted against
    them.
    """

    @handles(
        PlaceOrder,
        refusals=[
            ORDER_EXISTS,
            WITHDRAWN_CURRENCY,
            UNKNOWN_COUNTRY,
            COUNTRY_NEEDED,
            NO_LINES,
            PERSON_ERASED,
            UNKNOWN_CUSTOMER,
            INACTIVE_CUSTOMER,
            UNKNOWN_PRODUCT,
            NO_SUCH_ORDER,
            NOTHING_TO_EXCHANGE,
        ],
    )
    def place(self, command: PlaceOrder) -> Decision:
        if self.status is not None:
            placed = moment(self.moments[_S.PLACED])
            raise ORDER_EXISTS.because(
                f"There is an order {self.order_id} already, placed on {placed}.",
                "Choose another number.",
            )
        country = command.country or command.shipping_address.country
        if not country:
            raise COUNTRY_NEEDED.because(
                f"Order {command.order_id} has no country, and nothing is known of its customer's.",
                "Enter the country of the address.",
            )
        yield OrderPlaced(
            order_id=command.order_id,
            customer_id=command.customer_id,
            customer_name=command.customer_name,
            country=country,
            shipping_address=_address(command.shipping_address),
            currency=command.currency,
            lines=tuple(ordered(line, command.currency) for line in command.lines),
            total=exact(amount_of(command.lines, command.adjustments), command.currency),
            adjustments=adjusted(command.adjustments, command.currency),
            billing_address=_address(command.billing_address),
            exchange_for=command.exchange_for,
        )
        yield from withdrawn_currency(command.currency)
        yield from unknown_country(country)
        for address in (command.shipping_address, command.billing_address):
            if address.country != country:
                yield from unknown_country(address.country)
        if not self.left:
            yield NO_LINES.because(f"Order {self.order_id} has no lines; an order needs one.")

    @handles(
        ApproveOrder,
        when=in_status(
            _S.PLACED,
            otherwise="it can no longer be approved",
            instead={
                _S.APPROVED: "it need not be approved again",
                _S.ON_HOLD: "release it before you approve it",
            },
        ),
    )
    def approve(self, command: ApproveOrder) -> Decision:
        yield OrderApproved(order_id=command.order_id)

    @handles(
        ReleaseOrder,
        when=in_status(
            _S.ON_HOLD, otherwise="it is not on hold", codes=dict.fromkeys(_S, "not_on_hold")
        ),
    )
    def release(self, command: ReleaseOrder) -> Decision:
        back_to = self.before_hold or self.status
        yield OrderReleased(order_id=command.order_id, status=str(back_to))

    @handles(
        ShipOrder,
        when=in_status(
            _S.APPROVED,
            _S.PART_SHIPPED,
            otherwise="it can no longer be shipped",
            instead={
                _S.PLACED: "approve it before you ship it",
                _S.ON_HOLD: "release it before you ship it",
                _S.SHIPPED: "nothing is left to ship",
                _S.DELIVERED: "nothing is left to ship",
            },
        ),
        refusals=[NO_SUCH_LINE, MORE_THAN_LEFT],
    )
    def ship(self, command: ShipOrder) -> Decision:
        lines = tuple(to_send(self, command))
        yield OrderShipped(
            order_id=command.order_id,
            lines=lines,
            carrier=command.carrier,
            tracking=command.tracking,
            complete=sum(line.quantity for line in lines) == sum(self.left),
        )

    @handles(
        DeliverOrder,
        when=in_status(
            _S.SHIPPED,
            otherwise="it cannot be delivered",
            instead={
                _S.PLACED: "approve and ship it first",
                _S.APPROVED: "ship it first",
                _S.ON_HOLD: "release and ship it first",
                _S.PART_SHIPPED: "ship or cancel the remaining items first",
                _S.DELIVERED: "it need not be delivered again",
            },
            codes=dict.fromkeys((_S.PLACED, _S.APPROVED, _S.PART_SHIPPED), "not_shipped"),
        ),
    )
    def deliver(self, command: DeliverOrder) -> Decision:
        yield OrderDelivered(order_id=command.order_id)

    @handles(
        HoldOrder,
        when=in_status(
            _S.PLACED,
            _S.APPROVED,
            _S.PART_SHIPPED,
            otherwise="it can no longer be put on hold",
            instead={_S.ON_HOLD: "it need not be held again"},
        ),
    )
    def hold(self, command: HoldOrder) -> Decision:
        yield OrderHeld(order_id=command.order_id, reason=str(command.reason), note=command.note)

    @handles(
        ChangeShippingAddress,
        when=in_status(
            _S.PLACED,
            _S.APPROVED,
            _S.ON_HOLD,
            _S.PART_SHIPPED,
            otherwise="its shipping address can no longer be changed",
        ),
        refusals=[UNKNOWN_COUNTRY, PERSON_ERASED],
    )
    def change_address(self, command: ChangeShippingAddress) -> Decision:
        yield from unknown_country(command.address.country)
        yield ShippingAddressChanged(order_id=command.order_id, address=_address(command.address))

    @handles(
        ChangeOrderLines,
        when=in_status(
            _S.PLACED,
            _S.APPROVED,
            _S.ON_HOLD,
            _S.PART_SHIPPED,
            otherwise="its lines can no longer be changed",
        ),
        refusals=[
            NO_SUCH_LINE,
            FEWER_THAN_SHIPPED,
            SHIPPED_PRICE,
            SAME_LINES,
            NO_LINES,
            NOTHING_LEFT,
            ORDER_TOO_LARGE,
            DISCOUNT_TOO_HIGH,
        ],
    )
    def change_lines(self, command: ChangeOrderLines) -> Decision:
        yield lines_changed(self, command)

    @handles(
        ChangeBillingAddress,
        when=in_status(
            *(each for each in _S if each not in (_S.CANCELLED, _S.REJECTED)),
            otherwise="its billing address can no longer be changed",
        ),
        refusals=[UNKNOWN_COUNTRY, PERSON_ERASED],
    )
    def change_billing_address(self, command: ChangeBillingAddress) -> Decision:
        yield from unknown_country(command.address.country)
        yield BillingAddressChanged(order_id=command.order_id, address=_address(command.address))

    @handles(
        AssignOrderToCustomer,
        when=in_status(
            *(each for each in _S if each not in (_S.CANCELLED, _S.REJECTED)),
            otherwise="it can no longer be assigned to a customer",
        ),
        refusals=[SAME_CUSTOMER, PERSON_ERASED, UNKNOWN_CUSTOMER, INACTIVE_CUSTOMER],
    )
    def assign(self, command: AssignOrderToCustomer) -> Decision:
        former = self.customer_id
        if command.customer_id == former:
            raise SAME_CUSTOMER.because(f"Order {self.order_id} is already customer {former}'s.")
        known = order_to_assign(command)
        yield OrderAssigned(
            order_id=command.order_id,
            customer_id=command.customer_id,
            former_customer_id=former,
            customer_name=known.customer_name,
            shipping_address=known.shipping_address,
            billing_address=known.billing_address,
            country=known.country,
            currency=self.currency,
            total=self.total,
            cancelled=self.cancelled,
            placed_at=self.moments[_S.PLACED],
        )
        # What was recorded of a guest under the order's own key passes from one customer to the
        # next.
        yield Ownership(self.stream_of(self.order_id), person_of(command.customer_id))

    @handles(AddOrderTag, when=exists, refusals=[TAGGED, TOO_MANY_TAGS])
    def add_tag(self, command: AddOrderTag) -> Decision:
        if command.tag in self.tags:
            raise TAGGED.because(f"Order {self.order_id} already has the tag “{command.tag}”.")
        if len(self.tags) >= MOST_TAGS:
            raise TOO_MANY_TAGS.because(
                f"Order {self.order_id} has {MOST_TAGS} tags.", "Remove one first."
            )
        yield OrderTagAdded(order_id=command.order_id, tag=command.tag)

    # Offered beside each tag, not among the actions.
    @handles(RemoveOrderTag, refusals=[NO_SUCH_ORDER, NOT_TAGGED])
    def remove_tag(self, command: RemoveOrderTag) -> Decision:
        exists(self, command.order_id)
        if command.tag not in self.tags:
            raise NOT_TAGGED.because(
                f"Order {self.order_id} does not have the tag “{command.tag}”."
            )
        yield OrderTagRemoved(order_id=command.order_id, tag=command.tag)

    @handles(AddOrderNote, when=exists)
    def add_note(self, command: AddOrderNote) -> Decision:
        yield OrderNoteAdded(order_id=command.order_id, note=command.note)

    @handles(
        RejectOrder,
        when=in_status(
            _S.PLACED,
            otherwise="it can no longer be rejected",
            instead={
                _S.APPROVED: "it can no longer be rejected, but it can be cancelled",
                _S.ON_HOLD: "release it before you reject it",
            },
        ),
    )
    def reject(self, command: RejectOrder) -> Decision:
        yield OrderRejected(
            order_id=command.order_id,
            reason=command.reason,
            customer_id=self.customer_id,
            currency=self.currency,
            total=self.total,
        )

    @handles(CancelOrder, when=nothing_shipped)
    def cancel(self, command: CancelOrder) -> Decision:
        yield OrderCancelled(
            order_id=command.order_id,
            reason=str(command.reason),
            note=command.note,
            customer_id=self.customer_id,
            currency=self.currency,
            total=self.total,
        )

    @handles(CancelRemainingItems, when=shipped_in_part)
    def cancel_remaining(self, command: CancelRemainingItems) -> Decision:
        yield RemainingItemsCancelled(
            order_id=command.order_id,
            lines=tuple(
                CancelledLine(line_no=line_no, quantity=left)
                for line_no, left in enumerate(self.left, start=1)
                if left
            ),
            reason=str(command.reason),
            note=command.note,
            customer_id=self.customer_id,
            currency=self.currency,
            amount=exact(self.amount_left, self.currency),
        )

    def doubts(self, at: datetime, now: datetime) -> Iterator[Refused]:
        yield from in_the_future(at, now)
        placed = self.moments.get(_S.PLACED)
        if placed and at < placed:
            yield Refused(
                BEFORE_PLACED,
                f"The time given for it, {moment(at)}, is before the order was placed, on "
                f"{moment(placed)}.",
            )

    def flag(self, objection: Refused, command: Command) -> Event | None:
        """Imported history is accepted against the rules that depend on the status. Not if there is
        no order, or it was cancelled before, or no items remain to ship or change, or the return is
        not open; and never for files: none of that can have happened.
        """
        if objection.code == WITHDRAWN_CURRENCY.code:
            return None  # it was not withdrawn then
        given_up = self.status in (OrderStatus.CANCELLED, OrderStatus.REJECTED)
        match command:
            case CancelRemainingItems() | ChangeOrderLines() | AttachFile() | RemoveAttachment():
                possible = False
            case RejectOrder() | CancelOrder():
                possible = not given_up
            case ReceiveReturn() | CancelReturn():
                possible = command.return_id in self.returning
            case _:
                possible = True
        if self.status is None or not possible:
            raise objection
        return OrderFlagged(
            order_id=self.order_id,
            task=type(command).__name__,
            code=objection.code,
            sentence=objection.why,
        )


def _address(address: ShippingAddress | BillingAddress) -> Address:
    return Address(
        name=address.name,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        postal_code=address.postal_code,
        country=address.country,
    )
