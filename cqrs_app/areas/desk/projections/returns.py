"""Returns of orders: requested, received or cancelled."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.desk.read_models import order_lines, order_return_lines, order_returns
from cqrs_app.areas.orders.events import ReturnCancelled, ReturnReceived, ReturnRequested
from cqrs_app.areas.orders.words import ReturnStatus
from cqrs_app.kernel import Recorded, Rows


def open_return(event: ReturnRequested, recorded: Recorded, rows: Rows) -> None:
    rows.put(
        order_returns,
        order_id=event.order_id,
        return_id=event.return_id,
        status=str(ReturnStatus.REQUESTED),
        reason=event.reason,
        note=event.note,
        requested_at=recorded.occurred_at,
        closed_at=None,
        amount=Decimal(0),
    )
    for line in event.lines:
        rows.put(
            order_return_lines,
            order_id=event.order_id,
            return_id=event.return_id,
            line_no=line.line_no,
            quantity=line.quantity,
            restocked=0,
            written_off=0,
        )


def receive_return(event: ReturnReceived, recorded: Recorded, rows: Rows) -> int:
    """Returns how many units came back."""
    _close(event, ReturnStatus.RECEIVED, recorded, rows)
    rows.change(order_returns, event.order_id, event.return_id)["amount"] = event.amount
    units = 0
    for line in event.lines:
        row = rows.change(order_return_lines, event.order_id, event.return_id, line.line_no)
        row["restocked"], row["written_off"] = line.restocked, line.written_off
        back = line.restocked + line.written_off
        rows.change(order_lines, event.order_id, line.line_no)["returned_quantity"] += back
        units += back
    return units


def cancel_return(event: ReturnCancelled, recorded: Recorded, rows: Rows) -> None:
    _close(event, ReturnStatus.CANCELLED, recorded, rows)


def _close(
    event: ReturnReceived | ReturnCancelled, status: ReturnStatus, recorded: Recorded, rows: Rows
) -> None:
    row = rows.change(order_returns, event.order_id, event.return_id)
    row["status"], row["closed_at"] = str(status), recorded.occurred_at
    row["note"] = event.note or row["note"]
