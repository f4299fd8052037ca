"""How many orders stand where, and what happened on which day."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.desk.read_models import order_activity, order_days
from cqrs_app.areas.desk.stage import stage_of
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.kernel import Recorded, Row, Rows


def enter(rows: Rows, row: Row, status: OrderStatus, recorded: Recorded) -> None:
    """Set an order's status, and the stage that follows from it."""
    returned = 0 < row["shipped_units"] <= row["returned_units"]
    stage = str(stage_of(status, row["step"], returned=returned))
    if (str(status), stage) != (row["status"], row["stage"]):
        count_order(rows, row, -1)
        if stage != row["stage"]:
            row["stage_since"] = recorded.occurred_at
        row["status"], row["stage"] = str(status), stage
        count_order(rows, row, 1)
    if status is not OrderStatus.ON_HOLD:
        row["hold_reason"] = ""


def count_order(rows: Rows, row: Row, times: int) -> None:
    """Count an order at its stage; `times=-1` takes it off again."""
    imported = times if row["imported"] else 0
    rows.add(
        order_days,
        (row["placed_day"], row["currency"], row["status"], row["stage"]),
        orders=times,
        value=times * row["total"],
        imported=imported,
        imported_value=imported * row["total"],
    )


def count_activity(
    rows: Rows, recorded: Recorded, what: str, currency: str, value: Decimal
) -> None:
    """Count what happened on its day."""
    rows.add(order_activity, (recorded.day, what, currency), count=1, value=value)
