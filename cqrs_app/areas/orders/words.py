"""The words shown for the statuses and reasons of an order: a stable code and a label each."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class OrderStatus(StrEnum):
    """The status of an order; the values are stored."""

    PLACED = "placed"
    APPROVED = "approved"
    ON_HOLD = "on_hold"
    PART_SHIPPED = "part_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        return _STATUS_LABELS[self]


_STATUS_LABELS = MappingProxyType(
    {
        OrderStatus.PLACED: "Needs approval",
        OrderStatus.APPROVED: "Approved",
        OrderStatus.ON_HOLD: "On hold",
        OrderStatus.PART_SHIPPED: "Partly shipped",
        OrderStatus.SHIPPED: "Shipped",
        OrderStatus.DELIVERED: "Delivered",
        OrderStatus.CANCELLED: "Cancelled",
        OrderStatus.REJECTED: "Rejected",
    }
)


_FURTHER = (
    OrderStatus.PLACED,
    OrderStatus.APPROVED,
    OrderStatus.PART_SHIPPED,
    OrderStatus.ON_HOLD,
    OrderStatus.SHIPPED,
    OrderStatus.DELIVERED,
    OrderStatus.REJECTED,
    OrderStatus.CANCELLED,
)
_GIVEN_UP = (OrderStatus.REJECTED, OrderStatus.CANCELLED)


def advance_status(now: OrderStatus | None, entered: OrderStatus) -> OrderStatus:
    """The status after an event: never back to an earlier one. Under today's rules that is always
    the status entered. Imported history has orders that shipped first and were approved afterwards:
    they stay shipped.
    """
    if now is None or now in _GIVEN_UP:
        return now or entered
    return max(now, entered, key=_FURTHER.index)


class AdjustmentKind(StrEnum):
    """An order-wide discount or charge."""

    DISCOUNT = "discount"
    SHIPPING = "shipping"
    TAX = "tax"
    FEE = "fee"

    @property
    def label(self) -> str:
        return label_of(self)


class HoldReason(StrEnum):
    """Why an order is on hold."""

    PAYMENT_CHECK = "payment_check"
    ADDRESS_CHECK = "address_check"
    STOCK_CHECK = "stock_check"
    FRAUD_SUSPECTED = "fraud_suspected"
    CUSTOMER_REQUEST = "customer_request"
    OTHER = "other"

    @property
    def label(self) -> str:
        return label_of(self)


class CancelReason(StrEnum):
    """Why an order was cancelled or rejected."""

    CUSTOMER_REQUEST = "customer_request"
    OUT_OF_STOCK = "out_of_stock"
    PAYMENT_FAILED = "payment_failed"
    ADDRESS_PROBLEM = "address_problem"
    DUPLICATE = "duplicate"
    FRAUD = "fraud"
    OTHER = "other"

    @property
    def label(self) -> str:
        return label_of(self)


class ReturnReason(StrEnum):
    """Why a customer returns something."""

    UNWANTED = "unwanted"
    DAMAGED = "damaged"
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    WRONG_SIZE = "wrong_size"
    OTHER = "other"

    @property
    def label(self) -> str:
        return label_of(self)


class ReturnStatus(StrEnum):
    """The status of a return; the values are stored."""

    REQUESTED = "requested"
    RECEIVED = "received"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return label_of(self)


def label_of(code: str) -> str:
    """A reason's label; the code itself if this release no longer offers it."""
    return code.replace("_", " ").capitalize()
