"""The shop's words for what operators read about orders."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class EntryKind(StrEnum):
    """What an entry of the timeline is about."""

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
