"""Sentences about stock: given these tasks were done, when this one, then these events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory import commands as do
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.kernel.commands.aggregate import decide
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command, Event

NOON = datetime(2010, 12, 1, 12, 3, tzinfo=UTC)
DUE = date(2010, 12, 24)
SKU = "85123A"
METHODS = INVENTORY.handles[StockItem]


def run(item: StockItem, command: Command) -> tuple[Event, ...]:
    return decide(item, METHODS[type(command)], command, NOON).events


@dataclass(frozen=True)
class Outcome:
    item: StockItem
    events: tuple[Event, ...]
    refusal: Refused | None

    def then(self, *events: Event) -> StockItem:
        assert self.refusal is None, self.refusal
        assert self.events == events
        return self.item

    def refused(self, code: str, sentence: str) -> None:
        assert self.refusal is not None, f"it was accepted: {self.events}"
        assert (self.refusal.code, self.refusal.sentence) == (code, sentence)


@dataclass(frozen=True)
class Given:
    """The tasks done so far; `when` does one more."""

    done: Sequence[Command]

    def when(self, command: Command) -> Outcome:
        item = StockItem()
        for each in self.done:
            run(item, each)
        try:
            return Outcome(item, run(item, command), None)
        except Refused as refusal:
            return Outcome(item, (), refusal)


def given(*done: Command) -> Given:
    return Given(done)


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
