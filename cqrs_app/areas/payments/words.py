"""The words shown for the statuses of a payment: a stable code and a label each."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

MANUAL = "manual"
"""The gateway name of money that came in without one: a person confirms it."""


class PaymentStatus(StrEnum):
    """The status of a payment; the values are stored."""

    REQUESTED = "requested"
    AUTHORISED = "authorised"
    PART_CAPTURED = "part_captured"
    CAPTURED = "captured"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    DECLINED = "declined"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = MappingProxyType(
    {
        PaymentStatus.REQUESTED: "Requested",
        PaymentStatus.AUTHORISED: "Authorised",
        PaymentStatus.PART_CAPTURED: "Partly captured",
        PaymentStatus.CAPTURED: "Captured",
        PaymentStatus.PART_REFUNDED: "Partly refunded",
        PaymentStatus.REFUNDED: "Refunded",
        PaymentStatus.VOIDED: "Voided",
        PaymentStatus.DECLINED: "Declined",
    }
)


class Asked(StrEnum):
    """The kinds of gateway requests; the values are stored."""

    AUTHORISATION = "authorisation"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class DisputeOutcome(StrEnum):
    """How a dispute ended: the money came back to the shop, or went to the customer."""

    WON = "won"
    LOST = "lost"


def status_of(
    *, authorised: Decimal, captured: Decimal, refunded: Decimal, voided: bool, declined: bool
) -> PaymentStatus:
    """The status of a payment with these sums. `declined`: its authorisation was declined."""
    if refunded:
        return PaymentStatus.REFUNDED if refunded == captured else PaymentStatus.PART_REFUNDED
    if captured:
        whole = voided or captured == authorised
        return PaymentStatus.CAPTURED if whole else PaymentStatus.PART_CAPTURED
    if voided or declined:
        return PaymentStatus.VOIDED if voided else PaymentStatus.DECLINED
    return PaymentStatus.AUTHORISED if authorised else PaymentStatus.REQUESTED
