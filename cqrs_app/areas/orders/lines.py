"""Which lines of an order a command is about, and what becomes of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from cqrs_app.areas.orders.commands import ChangeOrderLines, ShipOrder
from cqrs_app.areas.orders.events import LineTerms, OrderLinesChanged, PricedLine, SentLine
from cqrs_app.areas.orders.rules import (
    FEWER_THAN_SHIPPED,
    MORE_THAN_LEFT,
    NO_LINES,
    NO_SUCH_LINE,
    NOTHING_LEFT,
    ORDER_TOO_LARGE,
    SHIPPED_PRICE,
    UNCHANGED,
)
from cqrs_app.areas.orders.state import OrderState
from cqrs_app.areas.orders.types import MOST_LINES, OrderLine
from cqrs_app.areas.types import HIGHEST_AMOUNT, MOST_UNITS
from cqrs_app.standards.money import exact


def priced(line: OrderLine, currency: str) -> PricedLine:
    """A line as its event holds it."""
    return PricedLine(
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=exact(line.unit_price, currency),
    )


def must_exist(order: OrderState, line_no: int) -> None:
    """Raises NO_SUCH_LINE."""
    if line_no > len(order.left):
        raise NO_SUCH_LINE(
            f"Order {order.order_id} has no line {line_no}; its last line is {len(order.left)}."
        )


def to_send(order: OrderState, command: ShipOrder) -> Iterator[SentLine]:
    """The lines named, or all that is left. Raises Refused."""
    if not command.lines:
        for line_no, left in enumerate(order.left, start=1):
            if left:
                yield SentLine(line_no=line_no, quantity=left)
    for line in command.lines:
        must_exist(order, line.line_no)
        left = order.left[line.line_no - 1]
        if line.quantity > left:
            raise MORE_THAN_LEFT(
                f"Line {line.line_no} of order {order.order_id} has {left} left to ship; "
                f"{line.quantity} cannot be shipped."
            )
        yield SentLine(line_no=line.line_no, quantity=line.quantity)


def lines_changed(order: OrderState, command: ChangeOrderLines) -> OrderLinesChanged:
    """The change, without lines that are sent as they are. Raises Refused."""
    before, after = [], []
    for line in command.lines:
        must_exist(order, line.line_no)
        now = LineTerms(
            line_no=line.line_no,
            quantity=order.quantity(line.line_no),
            unit_price=order.prices[line.line_no - 1],
        )
        new = LineTerms(
            line_no=line.line_no,
            quantity=line.quantity,
            unit_price=exact(line.unit_price, order.currency),
        )
        if new != now:
            _must_keep_shipped(order, now, new)
            before.append(now)
            after.append(new)
    added = tuple(priced(line, order.currency) for line in command.added)
    difference = _amount(after) - _amount(before) + _amount(added)
    event = OrderLinesChanged(
        order_id=order.order_id,
        customer_id=order.customer_id,
        currency=order.currency,
        lines=tuple(after),
        before=tuple(before),
        added=added,
        difference=exact(difference, order.currency),
        total=exact(order.total + difference, order.currency),
    )
    _must_be_usable(order, event)
    return event


def _must_keep_shipped(order: OrderState, now: LineTerms, new: LineTerms) -> None:
    shipped, where = order.shipped(now.line_no), f"Line {now.line_no} of order {order.order_id}"
    if new.quantity < shipped:
        raise FEWER_THAN_SHIPPED(
            f"{where} has {shipped} shipped; its quantity cannot be {new.quantity}."
        )
    if shipped and new.unit_price != now.unit_price:
        raise SHIPPED_PRICE(
            f"{where} has shipped units; its price stays. Add a line for units at another price."
        )


def _must_be_usable(order: OrderState, event: OrderLinesChanged) -> None:
    if not event.lines and not event.added:
        raise UNCHANGED(f"The lines of order {order.order_id} are like that already.")
    more = _units(event.lines) + _units(event.added) - _units(event.before)
    left = sum(order.left) + more
    if left == 0 and any(order.sent):
        raise NOTHING_LEFT(
            f"Nothing of order {order.order_id} would be left to ship. "
            "Cancel its remaining items instead."
        )
    if left == 0:
        raise NO_LINES(f"Order {order.order_id} would have no lines left. Cancel it instead.")
    if len(order.left) + len(event.added) > MOST_LINES:
        raise ORDER_TOO_LARGE(f"An order has at most {MOST_LINES:,} lines, removed ones included.")
    if more > 0 and left + sum(order.sent) > MOST_UNITS:
        raise ORDER_TOO_LARGE(f"An order has at most {MOST_UNITS:,} units.")
    if event.total > HIGHEST_AMOUNT:
        raise ORDER_TOO_LARGE(f"The lines come to more than {HIGHEST_AMOUNT:,}.")


def _units(lines: Iterable[LineTerms | PricedLine]) -> int:
    return sum(line.quantity for line in lines)


def _amount(lines: Iterable[LineTerms | PricedLine]) -> Decimal:
    return sum((line.quantity * line.unit_price for line in lines), Decimal(0))
