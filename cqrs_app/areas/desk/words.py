"""The shop's words for what operators read about orders."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class EntryKind(StrEnum):
    """The kind of a timeline entry."""

    ORDER = "order"
    PAYMENT = "payment"
    STOCK = "stock"
    SHIPPING = "shipping"
    NOTE = "note"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = MappingProxyType(
    {
        EntryKind.ORDER: "Order",
        EntryKind.PAYMENT: "Payment",
        EntryKind.STOCK: "Stock",
        EntryKind.SHIPPING: "Shipping",
        EntryKind.NOTE: "Notes",
    }
)


class OrderStage(StrEnum):
    """An order's stage, from its own events and those of its fulfilment; the values are stored."""

    NEEDS_APPROVAL = "needs_approval"
    ON_HOLD = "on_hold"
    AWAITING_PAYMENT = "awaiting_payment"
    PAYMENT_FAILED = "payment_failed"
    OUT_OF_STOCK = "out_of_stock"
    PROCESSING = "processing"
    READY_TO_SHIP = "ready_to_ship"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        return self.replace("_", " ").capitalize()


NEEDS_ACTION = (
    OrderStage.NEEDS_APPROVAL,
    OrderStage.ON_HOLD,
    OrderStage.PAYMENT_FAILED,
    OrderStage.OUT_OF_STOCK,
    OrderStage.AWAITING_PAYMENT,
    OrderStage.READY_TO_SHIP,
    OrderStage.PARTLY_SHIPPED,
)
"""Stages at which somebody has to act before the order continues."""
