"""An order's stage, in the shop's words."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """Where an order is, from its own events and those of its fulfilment; the values are stored."""

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
        return _LABELS[self]


_LABELS = MappingProxyType({stage: stage.replace("_", " ").capitalize() for stage in Stage})

NEEDS_ACTION = (
    Stage.NEEDS_APPROVAL,
    Stage.ON_HOLD,
    Stage.PAYMENT_FAILED,
    Stage.OUT_OF_STOCK,
    Stage.AWAITING_PAYMENT,
    Stage.READY_TO_SHIP,
    Stage.PARTLY_SHIPPED,
)
"""Somebody has to do something before the order goes on."""
