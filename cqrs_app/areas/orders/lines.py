"""Which lines of an order a command is about, and how they change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cqrs_app.areas.orders.amounts import NOTHING, amount_of, part_of, value_of
from cqrs_app.areas.orders.commands import ChangeOrderLines, ShipOrder
from cqrs_app.areas.orders.events import (
    Adjustment,
    LineTerms,
    OrderedLine,
    OrderLinesChanged,
    SentLine,
)
from cqrs_app.areas.orders.rules import (
    DISCOUNT_TOO_HIGH,
    FEWER_THAN_SHIPPED,
    MORE_THAN_LEFT,
    NO_LINES,
    NO_SUCH_LINE,
    NOTHING_LEFT,
    ORDER_TOO_LARGE,
    SAME_LINES,
    SHIPPED_PRICE,
)
from cqrs_app.areas.orders.state import OrderState
from cqrs_app.areas.orders.types import MOST_LINES, ChangedLine, OrderAdjustment, OrderLine
from cqrs_app.areas.types import HIGHEST_AMOUNT, MOST_UNITS
from cqrs_app.standards.money import exact


def ordered(line: OrderLine, currency: str) -> OrderedLine:
    """A line as its event holds it."""
    return OrderedLine(
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=exact(line.unit_price, currency),
        discount=exact(line.discount, currency),
    )


def must_exist(order: OrderState, line_no: int) -> None:
    """Raises NO_SUCH_LINE."""
    if line_no > len(order.left):
        raise NO_SUCH_LINE.because(
            f"Order {order.order_id} has no line {line_no}; its last line is {len(order.left)}."
        )


def to_send(order: OrderState, command: ShipOrder) -> Iterator[SentLine]:
    """The named lines, or all that is left to ship. Raises Refused."""
    if not command.lines:
        for line_no, left in enumerate(order.left, start=1):
            if left:
                yield SentLine(line_no=line_no, quantity=left)
    for line in command.lines:
        must_exist(order, line.line_no)
        left = order.left[line.line_no - 1]
        if line.quantity > left:
            raise MORE_THAN_LEFT.because(
                f"Line {line.line_no} of order {order.order_id} has {left} left to ship; "
                f"{line.quantity} cannot be shipped."
            )
        yield SentLine(line_no=line.line_no, quantity=line.quantity)


def adjusted(adjustments: Iterable[OrderAdjustment], currency: str) -> tuple[Adjustment, ...]:
    """Order-wide discounts and charges as an event holds them."""
    return tuple(
        Adjustment(kind=str(each.kind), label=each.label, amount=exact(each.amount, currency))
        for each in adjustments
    )


def lines_changed(order: OrderState, command: ChangeOrderLines) -> OrderLinesChanged:
    """The change, without what is sent as it is. Raises Refused."""
    before, after = [], []
    for line in command.lines:
        must_exist(order, line.line_no)
        now, new = _terms(order, line.line_no), _new_terms(order, line)
        if new != now:
            _must_keep_shipped(order, now, new)
            before.append(now)
            after.append(new)
    added = tuple(ordered(line, order.currency) for line in command.added)
    adjustments = _new_adjustments(order, command)
    replaced = () if adjustments is None else tuple(order.adjustments)
    difference = amount_of((*after, *added), adjustments or ()) - amount_of(before, replaced)
    event = OrderLinesChanged(
        order_id=order.order_id,
        customer_id=order.customer_id,
        currency=order.currency,
        lines=tuple(after),
        before=tuple(before),
        added=added,
        difference=exact(difference, order.currency),
        total=exact(order.total + difference, order.currency),
        adjustments=adjustments,
        adjustments_before=replaced,
    )
    _must_be_usable(order, event)
    return event


def _terms(order: OrderState, line_no: int) -> LineTerms:
    return LineTerms(
        line_no=line_no,
        quantity=order.quantity(line_no),
        unit_price=order.prices[line_no - 1],
        discount=exact(order.discounts.get(line_no, NOTHING), order.currency),
    )


def _new_adjustments(order: OrderState, command: ChangeOrderLines) -> tuple[Adjustment, ...] | None:
    """None if they stay as they are."""
    if command.adjustments is None:
        return None
    new = adjusted(command.adjustments, order.currency)
    return None if new == tuple(order.adjustments) else new


def _new_terms(order: OrderState, line: ChangedLine) -> LineTerms:
    """A discount that is not given stays the same per unit."""
    discount = line.discount
    if discount is None:
        before = order.discounts.get(line.line_no, NOTHING)
        discount = part_of(before, line.quantity, order.quantity(line.line_no))
    new = LineTerms(
        line_no=line.line_no,
        quantity=line.quantity,
        unit_price=exact(line.unit_price, order.currency),
        discount=exact(discount, order.currency),
    )
    if value_of(new) < 0:
        raise DISCOUNT_TOO_HIGH.because(
            f"The discount of line {line.line_no} is more than the line costs."
        )
    return new


def _must_keep_shipped(order: OrderState, now: LineTerms, new: LineTerms) -> None:
    shipped, where = order.shipped(now.line_no), f"Line {now.line_no} of order {order.order_id}"
    if new.quantity < shipped:
        raise FEWER_THAN_SHIPPED.because(
            f"{where} has {shipped} shipped; its quantity cannot be {new.quantity}."
        )
    share = exact(part_of(now.discount, new.quantity, now.quantity), order.currency)
    if shipped and (new.unit_price, new.discount) != (now.unit_price, share):
        raise SHIPPED_PRICE.because(
            f"{where} has shipped units; its price stays.", "Add a line for units at another price."
        )


def _must_be_usable(order: OrderState, event: OrderLinesChanged) -> None:
    if not event.lines and not event.added and event.adjustments is None:
        raise SAME_LINES.because(f"The lines of order {order.order_id} are like that already.")
    more = _units(event.lines) + _units(event.added) - _units(event.before)
    left = sum(order.left) + more
    if left == 0 and any(order.sent):
        raise NOTHING_LEFT.because(
            f"Nothing of order {order.order_id} would be left to ship.",
            "Cancel its remaining items instead.",
        )
    if left == 0:
        raise NO_LINES.because(
            f"Order {order.order_id} would have no lines left.", "Cancel it instead."
        )
    if len(order.left) + len(event.added) > MOST_LINES:
        raise ORDER_TOO_LARGE.because(
            f"An order has at most {MOST_LINES:,} lines, removed ones included."
        )
    if more > 0 and left + sum(order.sent) > MOST_UNITS:
        raise ORDER_TOO_LARGE.because(f"An order has at most {MOST_UNITS:,} units.")
    if event.total > HIGHEST_AMOUNT:
        raise ORDER_TOO_LARGE.because(f"The lines come to more than {HIGHEST_AMOUNT:,}.")
    if event.total < 0:
        raise DISCOUNT_TOO_HIGH.because(
            f"The discounts of order {order.order_id} would exceed its lines."
        )


def _units(lines: Iterable[LineTerms | OrderedLine]) -> int:
    return sum(line.quantity for line in lines)
