"""How much of each product left for orders, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.inventory.events import StockCommitted
from cqrs_app.areas.inventory.read_models import product_sales
from cqrs_app.kernel import Key, Projection, Recorded, Rows


class SalesProjection(Projection):
    """Units by product and UTC day. What they were sold for stands on the orders."""

    name: ClassVar[str] = "product_sales"
    tables: ClassVar[tuple[Table, ...]] = (product_sales,)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield product_sales, (event.sku, _day(recorded))

    def stock_committed(self, event: StockCommitted, recorded: Recorded, rows: Rows) -> None:
        key = (event.sku, _day(recorded))
        rows.add(product_sales, key, units=event.quantity, shipments=1)


def _day(recorded: Recorded) -> date:
    return recorded.occurred_at.astimezone(UTC).date()
