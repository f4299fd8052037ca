"""How much of each product shipped for orders, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.inventory.events import StockCommitted
from cqrs_app.areas.inventory.read_models import product_sales
from cqrs_app.kernel import Key, Projection, Recorded, Rows


class SalesProjection(Projection):
    """Units by product and business day. Prices are in the orders."""

    name: ClassVar[str] = "product_sales"
    by_day: ClassVar[bool] = True
    tables: ClassVar[tuple[Table, ...]] = (product_sales,)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield product_sales, (event.sku, recorded.day)

    def stock_committed(self, event: StockCommitted, recorded: Recorded, rows: Rows) -> None:
        key = (event.sku, recorded.day)
        rows.add(product_sales, key, units=event.quantity, shipments=1)
