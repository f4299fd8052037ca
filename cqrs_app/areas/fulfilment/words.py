"""The shop's words for where an order is on its way."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """Where the order is on its way; the values are stored."""

    AWAITING = "awaiting"
    RESERVING = "reserving"
    OUT_OF_STOCK = "out_of_stock"
    PAYING = "paying"
    PAYMENT_RETRY = "payment_retry"
    UNPAID = "unpaid"
    PAUSED = "paused"
    TO_SHIP = "to_ship"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    UNDOING = "undoing"
    UNDONE = "undone"
    STUCK = "stuck"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = MappingProxyType(
    {
        Stage.AWAITING: "Waits for approval",
        Stage.RESERVING: "Reserving stock",
        Stage.OUT_OF_STOCK: "Out of stock",
        Stage.PAYING: "Waits for payment",
        Stage.PAYMENT_RETRY: "Payment declined, tried again",
        Stage.UNPAID: "Payment declined",
        Stage.PAUSED: "Paused",
        Stage.TO_SHIP: "Ready to ship",
        Stage.SHIPPED: "On its way",
        Stage.DELIVERED: "Delivered",
        Stage.UNDOING: "Being undone",
        Stage.UNDONE: "Undone",
        Stage.STUCK: "Needs a decision",
    }
)

OVER = frozenset({Stage.DELIVERED, Stage.UNDONE})
"""Nothing is left to do."""

RELEASED = frozenset({Stage.TO_SHIP, Stage.SHIPPED, Stage.DELIVERED})
"""The goods may leave, or have left."""


ATTENTION = frozenset({Stage.STUCK, Stage.OUT_OF_STOCK, Stage.UNPAID})
"""Somebody has to look at it."""


class Step(StrEnum):
    """What a supervisor may let be skipped."""

    STOCK = "stock"
    PAYMENT = "payment"
    UNDOING = "undoing"

    @property
    def label(self) -> str:
        return {"stock": "Reserving stock", "payment": "Payment", "undoing": "Undoing"}[self]


class AfterDeclines(StrEnum):
    """What becomes of an order whose payment was declined for the last time."""

    HOLD = "hold"
    CANCEL = "cancel"
