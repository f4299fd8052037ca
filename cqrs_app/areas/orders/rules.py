"""When an order allows each action, and the sentence where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cqrs_app.areas.orders.state import OrderState
from cqrs_app.areas.orders.types import MOST_ATTACHMENTS, MOST_TAGS
from cqrs_app.areas.orders.words import OrderStatus, label_of
from cqrs_app.kernel import Refusal, Refused, Rule, rule

_S = OrderStatus
NO_SUCH_ORDER = Refusal("no_such_order", "There is no order with this number.")
ORDER_EXISTS = Refusal("order_exists", "The number was used before.", "order_id")
IN_THE_FUTURE = Refusal("in_the_future", "History has a time more than a day ahead.", "occurred_at")
BEFORE_PLACED = "before_placed"
"""The code of a flag that no command is refused with: imported history has a time before its order.
"""
NO_LINES = Refusal("no_lines", "There is nothing in it.")
TAGGED = Refusal("already_tagged", "The order has the tag already.")
NOT_TAGGED = Refusal("not_tagged", "The order does not have the tag.")
TOO_MANY_TAGS = Refusal("too_many_tags", f"The order has {MOST_TAGS} tags.")
ATTACHED = Refusal("already_attached", "The order has this file already.")
TOO_MANY_ATTACHMENTS = Refusal(
    "too_many_attachments", f"The order has {MOST_ATTACHMENTS} attachments."
)
NO_SUCH_ATTACHMENT = Refusal("no_such_attachment", "The order has no attachment with this number.")
NO_SUCH_FILE = Refusal("no_such_file", "No such file was received for this order.")
"""Raised where the files are, outside this module."""
SAME_CUSTOMER = Refusal("same_customer", "The order is this customer's already.")
NO_SUCH_LINE = Refusal("no_such_line", "The order has fewer lines.")
MORE_THAN_LEFT = Refusal("more_than_left", "A line has less left to ship.")
FEWER_THAN_SHIPPED = Refusal("fewer_than_shipped", "More of a line has shipped.")
SHIPPED_PRICE = Refusal("shipped_price", "Units of the line have shipped at the price it has.")
NOTHING_LEFT = Refusal("nothing_left", "Nothing would be left to ship.")
SAME_LINES = Refusal("unchanged", "Its lines are like that already.")
DISCOUNT_TOO_HIGH = Refusal("discount_too_high", "More is taken off than there is to pay.")
ORDER_TOO_LARGE = Refusal("order_too_large", "It would have too many lines or units, or cost more.")
MORE_THAN_SHIPPED = Refusal("more_than_shipped", "A line has fewer shipped units to come back.")
NOTHING_TO_RETURN = Refusal("nothing_to_return", "No shipped units are left to come back.")
NO_OPEN_RETURN = Refusal("no_open_return", "No return of the order is open.")
NO_SUCH_RETURN = Refusal("no_such_return", "The order has no open return with this number.")
MORE_THAN_REQUESTED = Refusal("more_than_requested", "More came back than the return is for.")
COUNTRY_NEEDED = Refusal(
    "country_needed", "Neither the order nor its address has a country.", "country"
)
UNKNOWN_CUSTOMER = Refusal("unknown_customer", "No customer is registered under this number.")
INACTIVE_CUSTOMER = Refusal("inactive_customer", "The customer was deactivated or erased.")
UNKNOWN_PRODUCT = Refusal("unknown_product", "The order names a product that was not added.")
NOTHING_TO_EXCHANGE = Refusal(
    "nothing_to_exchange", "The order that it is an exchange for has no return."
)
"""The last four are raised where customers, products and other orders are known."""
CREDIT_NOTE_EXISTS = Refusal("credit_note_exists", "The number was used before.", "credit_note_id")
PERSON_ERASED = Refusal(
    "person_erased", "The customer was erased: nothing personal can be added.", "customer_id"
)
"""Raised by the kernel when it seals the values to be written."""

_NO_LONGER_CANCELLED = "it can no longer be cancelled"
_ITEMS_CAN_BE_CANCELLED = "it can no longer be cancelled, but its remaining items can"
_NOT_SHIPPED = "not_shipped"
_NO_ITEMS_REMAIN = "no items remain to be cancelled"
_CANCEL_INSTEAD = "nothing of it has shipped, so cancel the whole order"
_NOTHING_TO_RETURN = "it has no shipped units that could still be returned"
_STANDING = MappingProxyType(
    {
        _S.PLACED: ("not_approved", "has waited for approval since"),
        _S.APPROVED: ("already_approved", "was approved on"),
        _S.ON_HOLD: ("on_hold", "has been on hold since"),
        _S.PART_SHIPPED: ("already_shipped", "was shipped in part on"),
        _S.SHIPPED: ("already_shipped", "was shipped on"),
        _S.DELIVERED: ("already_delivered", "was delivered on"),
        _S.CANCELLED: ("already_cancelled", "was cancelled on"),
        _S.REJECTED: ("already_rejected", "was rejected on"),
    }
)


def _by_code(refused: Mapping[OrderStatus, tuple[str, str]]) -> Iterator[Refusal]:
    """One refusal per code; its text names each status that leads to it."""
    texts: dict[str, list[str]] = {}
    for status, (code, why) in refused.items():
        texts.setdefault(code, []).append(f"“{status.label}”: {why}.")
    for code, each in texts.items():
        yield Refusal(code, " ".join(each))


def in_status(
    *allowed: OrderStatus,
    otherwise: str,
    instead: Mapping[OrderStatus, str] = MappingProxyType({}),
    codes: Mapping[OrderStatus, str] = MappingProxyType({}),
) -> Rule:
    """Requires one of these statuses. In any other status the refusal ends in `otherwise`, or in
    the text of `instead` for that status; `codes` replaces a status's own code.
    """
    refused = {
        status: (codes.get(status, _STANDING[status][0]), instead.get(status, otherwise))
        for status in OrderStatus
        if status not in allowed
    }

    @rule(NO_SUCH_ORDER, *_by_code(refused))
    def check(order: OrderState, order_id: str) -> None:
        if order.status is None:
            raise NO_SUCH_ORDER.because(f"There is no order {order_id}.", "Check the number.")
        if order.status in refused:
            code, why = refused[order.status]
            raise Refused.because(code, _reason(order, order.status, why))

    return check


exists = in_status(*OrderStatus, otherwise="")


@rule(
    after=in_status(
        _S.PLACED,
        _S.APPROVED,
        _S.ON_HOLD,
        otherwise=_NO_LONGER_CANCELLED,
        instead={
            _S.PART_SHIPPED: _ITEMS_CAN_BE_CANCELLED,
            _S.CANCELLED: "it need not be cancelled again",
        },
    )
)
def nothing_shipped(order: OrderState, order_id: str) -> None:
    """Until anything has shipped, also while the order is on hold."""
    if order.status is _S.ON_HOLD and order.before_hold is _S.PART_SHIPPED:
        code = _STANDING[_S.PART_SHIPPED][0]
        raise Refused.because(code, _reason(order, _S.PART_SHIPPED, _ITEMS_CAN_BE_CANCELLED))


@rule(
    after=in_status(
        _S.PART_SHIPPED,
        _S.ON_HOLD,
        otherwise=_NO_ITEMS_REMAIN,
        instead={
            _S.PLACED: _CANCEL_INSTEAD,
            _S.APPROVED: _CANCEL_INSTEAD,
            _S.CANCELLED: "it need not be cancelled again",
        },
        codes=dict.fromkeys((_S.PLACED, _S.APPROVED), _NOT_SHIPPED),
    )
)
def shipped_in_part(order: OrderState, order_id: str) -> None:
    """Something has shipped and something is left, also while the rest is on hold."""
    if order.status is _S.ON_HOLD and order.before_hold is not _S.PART_SHIPPED:
        raise Refused.because(_NOT_SHIPPED, _reason(order, _S.ON_HOLD, _CANCEL_INSTEAD))


@rule(
    NOTHING_TO_RETURN,
    after=in_status(
        _S.PART_SHIPPED,
        _S.SHIPPED,
        _S.DELIVERED,
        _S.ON_HOLD,
        otherwise=_NOTHING_TO_RETURN,
        codes=dict.fromkeys((_S.PLACED, _S.APPROVED), _NOT_SHIPPED),
    ),
)
def returnable(order: OrderState, order_id: str) -> None:
    """Something has shipped that has not been returned and is not requested back."""
    if not any(map(order.returnable, range(1, len(order.left) + 1))):
        raise NOTHING_TO_RETURN.because(_reason(order, _status(order), _NOTHING_TO_RETURN))


@rule(NO_OPEN_RETURN, after=exists)
def has_open_return(order: OrderState, order_id: str) -> None:
    if not order.returning:
        raise NO_OPEN_RETURN.because(_reason(order, _status(order), "no return of it is open"))


def in_the_future(at: datetime, now: datetime) -> Iterator[Refused]:
    """Objects to a time in the future; clocks and time zones may differ by a day."""
    if at > now + timedelta(days=1):
        yield IN_THE_FUTURE.because(f"The time given for it, {moment(at)}, is in the future.")


def moment(at: datetime) -> str:
    """A point in time inside a refusal: "1 Dec 2010 at 12:03 UTC"."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y} at {at:%H:%M} UTC"


def _status(order: OrderState) -> OrderStatus:
    """The status of an order that exists."""
    if order.status is None:
        raise NO_SUCH_ORDER(NO_SUCH_ORDER.when)
    return order.status


def _reason(order: OrderState, status: OrderStatus, why: str) -> str:
    reason = f" ({label_of(order.hold_reason).lower()})" if status is _S.ON_HOLD else ""
    since = f"{_STANDING[status][1]} {moment(order.moments[status])}{reason}"
    return f"Order {order.order_id} {since}; {why}."
