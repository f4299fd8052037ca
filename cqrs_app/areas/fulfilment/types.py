"""Types of the fields of fulfilment's messages, and the words shown for its stages."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import reason
from cqrs_app.kernel import value


class Stage(StrEnum):
    """The step that fulfilment has reached; the values are stored. What operators call the order's
    stage follows from it and the order's status: `areas/desk/stage.py`."""

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

    @property
    def moves_by_itself(self) -> bool:
        """Whether the stage is about to end without anybody acting."""
        return self in (Stage.RESERVING, Stage.PAYING, Stage.UNDOING)


_LABELS = MappingProxyType(
    {
        Stage.AWAITING: "Needs approval",
        Stage.RESERVING: "Reserving stock",
        Stage.OUT_OF_STOCK: "Out of stock",
        Stage.PAYING: "Awaiting payment",
        Stage.PAYMENT_RETRY: "Payment declined, retrying",
        Stage.UNPAID: "Payment failed",
        Stage.PAUSED: "On hold",
        Stage.TO_SHIP: "Waiting for shipment",
        Stage.SHIPPED: "Waiting for delivery",
        Stage.DELIVERED: "Complete",
        Stage.UNDOING: "Reversing",
        Stage.UNDONE: "Reversed",
        Stage.STUCK: "Needs a decision",
    }
)

OVER = frozenset({Stage.DELIVERED, Stage.UNDONE})
"""Nothing is left to do."""

RELEASED = frozenset({Stage.TO_SHIP, Stage.SHIPPED, Stage.DELIVERED})
"""The order may be shipped, or has been."""

ATTENTION = frozenset({Stage.STUCK, Stage.OUT_OF_STOCK, Stage.UNPAID})
"""Somebody has to look at it."""


class Step(StrEnum):
    """Steps that a supervisor may skip."""

    STOCK = "stock"
    PAYMENT = "payment"
    UNDOING = "undoing"

    @property
    def label(self) -> str:
        return {"stock": "Reserving stock", "payment": "Payment", "undoing": "Reversing"}[self]


class AfterDeclines(StrEnum):
    """What happens to an order whose payment was declined for the last time."""

    HOLD = "hold"
    CANCEL = "cancel"


_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*$"

Count = Annotated[int, Meta(ge=1, le=1_000_000_000_000, examples=[1])]
Seconds = Annotated[int, Meta(ge=1, le=366 * 86_400, examples=[3600])]
WrittenReason = Annotated[
    str,
    reason(
        "At least ten characters. Kept with the order's steps.",
        least=10,
        most=1_000,
        example="The customer pays in the shop.",
    ),
]


@value
class Line:
    """What an order asks for on one of its lines; lines count from 1."""

    sku: Annotated[str, Meta(pattern=_TEXT, max_length=60, examples=["85123A"])]
    quantity: Count


@value
class Policy:
    """How orders are fulfilled. With an empty `method` no payment is started: the process waits
    until one comes in. `retry_after` are the pauses in seconds after each declined payment; the
    decline after the last pause is final.
    """

    method: Annotated[str, Meta(max_length=100, pattern=_TEXT)]
    retry_after: Annotated[tuple[Seconds, ...], Meta(max_length=20)]
    after_declines: AfterDeclines


NO_PAYMENTS = Policy(method="", retry_after=(), after_declines=AfterDeclines.HOLD)


@value
class Sent:
    """How many units of which line shipped."""

    line_no: Annotated[int, Meta(ge=1, le=10_000)]
    quantity: Count
