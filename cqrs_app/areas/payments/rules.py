"""What may be done with a payment now, and how much of it: asked by the task and by the page."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cqrs_app.areas.payments.requests import is_open, total
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel.errors import Refused

if TYPE_CHECKING:
    from cqrs_app.areas.payments.payment import Payment


def require(payment: Payment, payment_id: str) -> None:
    """Raises Refused where there is no such payment."""
    if payment.started_at is None:
        raise Refused(
            "no_such_payment",
            f"There is no payment {payment_id}. Nothing was changed. Look at the number again.",
        )


def to_capture(payment: Payment) -> Decimal:
    """What can be captured. Raises Refused where that is nothing."""
    _require_authorised(payment)
    _require_not_voided(payment)
    asked = total(payment.requests, Asked.CAPTURE, "")
    left = payment.authorised - payment.captured - asked
    if left > 0:
        return left
    if asked:
        raise Refused(
            "answer_awaited",
            "All of it is being captured; the gateway has not answered yet. "
            "Nothing was changed. Wait for the answer.",
        )
    raise Refused("nothing_to_capture", "All of it is captured. Nothing was changed.")


def to_void(payment: Payment) -> Decimal:
    """What can be let go of. Raises Refused where that is nothing."""
    _require_not_voided(payment)
    if is_open(payment.requests, Asked.AUTHORISATION):
        return payment.amount
    _require_authorised(payment)
    if is_open(payment.requests, Asked.CAPTURE):
        raise Refused(
            "answer_awaited",
            "It is being captured; the gateway has not answered yet. "
            "Nothing was changed. Wait for the answer, then refund or void it.",
        )
    left = payment.authorised - payment.captured
    if not left:
        raise Refused(
            "nothing_to_void", "All of it is captured. Nothing was changed. Refund it instead."
        )
    return left


def to_refund(payment: Payment) -> Decimal:
    """What can be given back. Raises Refused where that is nothing. What is disputed, or was lost
    in a dispute, is with the customer already."""
    asked = total(payment.requests, Asked.REFUND, "")
    left = payment.captured - payment.refunded - asked - payment.disputed("", "lost")
    if left > 0:
        return left
    if not payment.captured:
        raise Refused("nothing_to_refund", "Nothing of it is captured. Nothing was changed.")
    raise Refused(
        "nothing_to_refund",
        "All that was captured is refunded, disputed, or on its way back. Nothing was changed.",
    )


def part_of(left: Decimal, wanted: Decimal | None, code: str, currency: str) -> Decimal:
    """What is wanted of what is left, all of it where nothing is named. Raises Refused with this
    code where it is more."""
    if wanted is not None and wanted > left:
        raise Refused(
            code,
            f"{currency} {wanted} is more than the {currency} {left.normalize():f} that is left. "
            f"Nothing was changed. Write less, or leave the amount empty for all of it.",
        )
    return left if wanted is None else wanted


def _require_authorised(payment: Payment) -> None:
    if is_open(payment.requests, Asked.AUTHORISATION):
        raise Refused(
            "answer_awaited",
            "The gateway has not answered yet whether it is authorised. "
            "Nothing was changed. Wait for the answer.",
        )
    if payment.declined:
        raise Refused(
            "declined",
            "The gateway declined it. Nothing was changed. Begin another payment.",
        )


def _require_not_voided(payment: Payment) -> None:
    if payment.void_planned or is_open(payment.requests, Asked.VOID):
        raise Refused(
            "voided", "It is being voided. Nothing was changed. Begin another payment if need be."
        )
    if payment.voided:
        raise Refused("voided", "It is voided. Nothing was changed. Begin another payment.")
