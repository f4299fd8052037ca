"""One product, and the commands on it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory import commands as do
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.kernel.testing import Scenarios

NOON = datetime(2010, 12, 1, 12, 3, tzinfo=UTC)
DUE = date(2010, 12, 24)
SKU = "85123A"
given = Scenarios(INVENTORY, at=NOON).given


def add(**fields: Any) -> do.AddProduct:
    return do.AddProduct(**{"sku": SKU, "description": "Heart"} | fields)


def receive(quantity: int, reference: str = "PO-1") -> do.ReceiveStock:
    return do.ReceiveStock(sku=SKU, quantity=quantity, reference=reference)


def expect(quantity: int, reference: str = "PO-1", due: date = DUE) -> do.ExpectStock:
    return do.ExpectStock(sku=SKU, reference=reference, quantity=quantity, due=due)


def adjust(difference: int) -> do.AdjustStock:
    return do.AdjustStock(sku=SKU, difference=difference, reason=AdjustReason.COUNTED)


def reserve(order_id: str, quantity: int) -> do.ReserveStock:
    return do.ReserveStock(sku=SKU, order_id=order_id, quantity=quantity)


def release(order_id: str) -> do.ReleaseStock:
    return do.ReleaseStock(sku=SKU, order_id=order_id)


def commit(order_id: str, quantity: int | None = None) -> do.CommitStock:
    return do.CommitStock(sku=SKU, order_id=order_id, quantity=quantity)


RETIRE = do.RetireProduct(sku=SKU)
RESTORE = do.RestoreProduct(sku=SKU)
CHARGE = add(tracked=False)
