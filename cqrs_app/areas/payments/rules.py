"""What may be done with a payment now, and how much of it: used by the action and by the page."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.payments.requests import is_open, total
from cqrs_app.areas.payments.state import PaymentState
from cqrs_app.areas.payments.words import MANUAL, Asked
from cqrs_app.areas.types import WaitsFor
from cqrs_app.kernel import Refusal, rule
from cqrs_app.standards.money import exact, too_fine

TOO_FINE = Refusal("amount_too_fine", "The amount has more digits than its currency.")
UNKNOWN = Refusal("no_such_payment", "There is no payment of this number.")
PAYMENT_EXISTS = Refusal("payment_exists", "The number was used before.")
NO_SUCH_REQUEST = Refusal("no_such_request", "The gateway has no request of this kind.")
ANSWER_AWAITED = Refusal("answer_awaited", "The gateway has not answered yet.")
DECLINED = Refusal("declined", "The gateway declined it.")
VOIDED = Refusal("voided", "It is voided, or about to be.")
NOT_FREE = (ANSWER_AWAITED, DECLINED, VOIDED)
NOTHING_TO_CAPTURE = Refusal("nothing_to_capture", "All of it is captured.")
MORE_THAN_AUTHORISED = Refusal("more_than_authorised", "Less of it is left.")
NOTHING_TO_VOID = Refusal("nothing_to_void", "All of it is captured.")
NOTHING_TO_REFUND = Refusal(
    "nothing_to_refund", "Nothing of what was captured is left with the shop."
)
MORE_THAN_CAPTURED = Refusal("more_than_captured", "Less of it is left.")
NOTHING_FLAGGED = Refusal("nothing_flagged", "No answer waits.")
NOTHING_TO_MOVE = Refusal("nothing_to_move", "The shop has no money of it that could be moved.")
NOT_SETTLED = Refusal("not_settled", "Some of it is authorised and not captured.")
SAME_ORDER = Refusal("same_order", "It belongs to this order already.")
REFERENCE_USED = Refusal("reference_used", "Another payment was recorded with this reference.")
NO_ORDER = Refusal("no_such_order", "There is no order of this number.")
ORDER_GIVEN_UP = Refusal("order_given_up", "The order was cancelled or rejected.")
OTHER_CURRENCY = Refusal("other_currency", "The order is in another currency.")
BEYOND_ORDER = Refusal("beyond_order", "The order costs less, or is paid already.")
MISFITS = (NO_ORDER, ORDER_GIVEN_UP, OTHER_CURRENCY, BEYOND_ORDER)
"""Raised where orders are known. A payment that is accepted nevertheless is flagged."""
NO_SUCH_DISPUTE = Refusal("no_such_dispute", "The payment has no dispute of this reference.")
DISPUTE_SETTLED = Refusal("dispute_settled", "It was settled the other way.")


@rule(UNKNOWN)
def exists(payment: PaymentState, payment_id: str) -> None:
    if payment.started_at is None:
        raise UNKNOWN.because(f"There is no payment {payment_id}.", "Check the number.")


def to_capture(payment: PaymentState) -> Decimal:
    """What can be captured. Raises Refused if that is nothing."""
    _require_authorised(payment)
    _require_not_voided(payment)
    asked = total(payment.requests, Asked.CAPTURE, "")
    left = payment.authorised - payment.captured - asked
    if left > 0:
        return left
    if asked:
        raise ANSWER_AWAITED.because(
            "All of it is being captured; the gateway has not answered yet.", "Wait for the answer."
        )
    raise NOTHING_TO_CAPTURE.because("All of it is captured.")


def to_void(payment: PaymentState) -> Decimal:
    """What can be voided. Raises Refused if that is nothing."""
    _require_not_voided(payment)
    if is_open(payment.requests, Asked.AUTHORISATION):
        return payment.amount
    _require_authorised(payment)
    if is_open(payment.requests, Asked.CAPTURE):
        raise ANSWER_AWAITED.because(
            "It is being captured; the gateway has not answered yet.",
            "Wait for the answer, then refund or void it.",
        )
    left = payment.authorised - payment.captured
    if not left:
        raise NOTHING_TO_VOID.because("All of it is captured.", "Refund it instead.")
    return left


def to_refund(payment: PaymentState) -> Decimal:
    """What can be refunded. Raises Refused if that is nothing. Amounts in dispute, or lost in one,
    are with the customer already.
    """
    asked = total(payment.requests, Asked.REFUND, "")
    left = payment.captured - payment.refunded - asked - payment.disputed("", "lost")
    if left > 0:
        return left
    if not payment.captured:
        raise NOTHING_TO_REFUND.because("Nothing of it is captured.")
    raise NOTHING_TO_REFUND.because(
        "All that was captured is refunded, disputed, or on its way back."
    )


def to_move(payment: PaymentState) -> Decimal:
    """What counts for another order once the payment is moved. Raises Refused if that is nothing,
    or if anything is pending.
    """
    if any(each.is_open for each in payment.requests):
        raise ANSWER_AWAITED.because("The gateway has not answered yet.", "Wait for the answer.")
    kept = payment.captured - payment.refunded - payment.disputed("lost")
    if kept <= 0:
        raise NOTHING_TO_MOVE.because("The shop has no money of it.")
    if not payment.voided and payment.authorised > payment.captured:
        raise NOT_SETTLED.because(
            "Some of it is authorised and not captured.", "Capture or void it first."
        )
    return kept


def waits_for(payment: PaymentState) -> WaitsFor:
    """Who has to act before nothing is pending any more."""
    uncaptured = not (payment.voided or payment.declined) and payment.authorised > payment.captured
    answers = WaitsFor.PERSON if payment.gateway == MANUAL else WaitsFor.GATEWAY
    if payment.flags:
        return WaitsFor.PERSON
    if any(each.is_open for each in payment.requests) or payment.disputed(""):
        return answers
    return WaitsFor.PERSON if uncaptured else WaitsFor.NOBODY


def part_of(left: Decimal, wanted: Decimal | None, more: Refusal, currency: str) -> Decimal:
    """The requested amount, or all that is left if none is named. Raises `more`."""
    if wanted is not None and wanted > left:
        raise more(
            f"{currency} {exact(wanted, currency):f} is more than the {currency} "
            f"{exact(left, currency):f} that is left. "
            f"Nothing was changed. Write less, or leave the amount empty for all of it.",
        )
    if wanted is None or wanted == left:
        return left
    return payable(wanted, currency)


def payable(amount: Decimal, currency: str) -> Decimal:
    """The amount with its currency's places. Raises Refused for a fraction of the smallest unit."""
    why = too_fine(amount, currency)
    if why:
        raise TOO_FINE.because(why, "Write the amount with no more digits.")
    return exact(amount, currency)


def _require_authorised(payment: PaymentState) -> None:
    if is_open(payment.requests, Asked.AUTHORISATION):
        raise ANSWER_AWAITED.because(
            "The gateway has not answered yet whether it is authorised.", "Wait for the answer."
        )
    if payment.declined:
        raise DECLINED.because("The gateway declined it.", "Start another payment.")


def _require_not_voided(payment: PaymentState) -> None:
    if payment.void_planned or is_open(payment.requests, Asked.VOID):
        raise VOIDED.because("It is being voided.", "Start another payment if need be.")
    if payment.voided:
        raise VOIDED.because("It is voided.", "Start another payment.")
