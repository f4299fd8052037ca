"""The lines of orders: as they were placed, and as they were changed since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cqrs_app.areas.desk.read_models import order_lines
from cqrs_app.areas.orders.amounts import NOTHING, sums_of, value_of
from cqrs_app.areas.orders.events import Adjustment, OrderedLine, OrderLinesChanged
from cqrs_app.kernel import Row, Rows


def add_lines(order_id: str, lines: Iterable[OrderedLine], first: int, rows: Rows) -> None:
    """Insert new lines, numbered from `first`."""
    for line_no, line in enumerate(lines, start=first):
        rows.put(
            order_lines,
            order_id=order_id,
            line_no=line_no,
            sku=line.sku,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount=line.discount,
            amount=value_of(line),
            shipped_quantity=0,
            cancelled_quantity=0,
            returned_quantity=0,
        )


def change_lines(event: OrderLinesChanged, order: Row, rows: Rows) -> None:
    """Update changed lines and the order's row. A removed line stays, with quantity 0."""
    for line in event.lines:
        row = rows.change(order_lines, event.order_id, line.line_no)
        order["line_count"] += bool(line.quantity) - bool(row["quantity"])
        order["units"] += line.quantity - row["quantity"]
        order["discount"] += line.discount - row["discount"]
        row["quantity"], row["unit_price"] = line.quantity, line.unit_price
        row["discount"], row["amount"] = line.discount, value_of(line)
    add_lines(event.order_id, event.added, order["last_line"] + 1, rows)
    order["line_count"] += len(event.added)
    order["last_line"] += len(event.added)
    order["units"] += sum(line.quantity for line in event.added)
    order["discount"] += sum((line.discount for line in event.added), NOTHING)
    if event.adjustments is not None:
        before = sums_of((), event.adjustments_before)
        for kind, amount in sums_of((), event.adjustments).items():
            order[kind] += amount - before[kind]
        order["adjustments"] = stored_adjustments(event.adjustments)
    order["total"] = event.total


def stored_adjustments(adjustments: Sequence[Adjustment]) -> str:
    """As an order's row holds them."""
    return msgspec.json.encode(adjustments).decode()
