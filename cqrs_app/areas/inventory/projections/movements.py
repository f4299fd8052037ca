"""The ledger: every unit that came or went, with who, when and why."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Table

from cqrs_app.areas.inventory.events import StockAdjusted, StockCommitted, StockReceived
from cqrs_app.areas.inventory.read_models import stock_movements
from cqrs_app.kernel import Projection, Recorded, Rows


class MovementsProjection(Projection):
    """One row per event; rows never change."""

    name: ClassVar[str] = "stock_movements"
    tables: ClassVar[tuple[Table, ...]] = (stock_movements,)

    def stock_received(self, event: StockReceived, recorded: Recorded, rows: Rows) -> None:
        _enter(rows, recorded, event, "received", event.quantity, event.reference)

    def stock_adjusted(self, event: StockAdjusted, recorded: Recorded, rows: Rows) -> None:
        _enter(rows, recorded, event, "adjusted", event.difference, event.reason, event.note)

    def stock_committed(self, event: StockCommitted, recorded: Recorded, rows: Rows) -> None:
        _enter(rows, recorded, event, "sent", -event.quantity, event.order_id)


def _enter(
    rows: Rows,
    recorded: Recorded,
    event: StockReceived | StockAdjusted | StockCommitted,
    kind: str,
    quantity: int,
    reference: str,
    note: str = "",
) -> None:
    rows.put(
        stock_movements,
        sku=event.sku,
        version=recorded.version,
        kind=kind,
        quantity=quantity,
        on_hand=event.on_hand,
        reference=reference,
        note=note,
        at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        operator=recorded.stored.operator,
        command_id=recorded.stored.command_id,
    )
