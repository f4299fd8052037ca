"""How a fulfilment process changes with its payments. Pure."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.attempts import refused, without_refusals
from cqrs_app.areas.fulfilment.inputs import PaymentChanged, PaymentMoved
from cqrs_app.areas.fulfilment.process import NOTHING, FulfilmentProcess, Paid

REQUESTED = MappingProxyType(
    {
        "PaymentAuthorisationRequested": "authorisation",
        "PaymentCaptureRequested": "capture",
        "PaymentVoidPlanned": "void",
        "PaymentVoidRequested": "void",
        "PaymentRefundRequested": "refund",
    }
)
ANSWERED = MappingProxyType(
    {
        "PaymentAuthorised": "authorisation",
        "PaymentCaptured": "capture",
        "PaymentVoided": "void",
        "PaymentRefunded": "refund",
    }
)


CHARGES = ("AuthorisePayment ", "CapturePayment ")
"""How the keys of commands that ask for money begin."""


def payment_changed(process: FulfilmentProcess, item: PaymentChanged) -> FulfilmentProcess:
    paid = process.payments.get(item.payment_id) or Paid(item.currency)
    # Whatever it is, what was refused before may be right now, charges by other payments included:
    # what is missing may have changed.
    mine = ("VoidPayment", "RefundPayment")
    process = without_refusals(
        process,
        frozenset(f"{each} {item.payment_id}" for each in mine)
        | {key for key in process.refused if key.startswith(CHARGES)},
    )
    if item.type in REQUESTED:
        paid = waiting(paid, REQUESTED[item.type])
    elif item.type in ANSWERED:
        paid = _done(paid, ANSWERED[item.type], item)
    elif item.type == "PaymentRecorded":
        paid = replace(paid, captured=paid.captured + item.amount)
    else:
        paid = _answered(paid, item.asked)
        if item.asked in ("authorisation", "capture"):
            # With nothing authorised there is nothing to void.
            paid = _answered(paid, "void") if item.asked == "authorisation" else paid
            paid = replace(paid, declined=True)
            if process.begun:
                process = replace(process, declines=process.declines + 1, waits_to_retry=True)
        elif item.asked == "void":
            process = refused(process, f"VoidPayment {item.payment_id}", item.sentence)
    process = replace(process, payments=process.payments | {item.payment_id: paid})
    if item.type == "PaymentRefunded":
        return _settled(process, item.amount)
    if item.type == "PaymentDeclined" and item.asked == "refund":
        return _refund_declined(process, item)
    return process


def _settled(process: FulfilmentProcess, amount: Decimal) -> FulfilmentProcess:
    """This much was refunded. What is still refundable is what the order is overpaid by."""
    settled = min(process.refundable, amount)
    left = min(process.refundable - settled, process.overpaid)
    return replace(process, refundable=left, settled=process.settled + settled)


def _refund_declined(process: FulfilmentProcess, item: PaymentChanged) -> FulfilmentProcess:
    if process.refundable and not process.to_refund and not process.given_up:
        # The order costs more by now: there is nothing left to refund.
        return replace(process, refundable=NOTHING)
    return refused(process, f"RefundPayment {item.payment_id}", item.sentence)


def payment_moved(process: FulfilmentProcess, item: PaymentMoved) -> FulfilmentProcess:
    others = {key: paid for key, paid in process.payments.items() if key != item.payment_id}
    if item.to == process.order_id:
        others[item.payment_id] = Paid(item.currency, item.amount, item.amount)
    return replace(process, payments=others, refused={})


def waiting(paid: Paid, asked: str) -> Paid:
    return paid if asked in paid.waits else replace(paid, waits=(*paid.waits, asked))


def _answered(paid: Paid, asked: str) -> Paid:
    return replace(paid, waits=tuple(each for each in paid.waits if each != asked))


def _done(paid: Paid, asked: str, item: PaymentChanged) -> Paid:
    paid = _answered(paid, asked)
    match asked:
        case "authorisation":
            return replace(paid, authorised=paid.authorised + item.amount)
        case "capture":
            return replace(paid, captured=paid.captured + item.amount)
        case "refund":
            return replace(paid, refunded=paid.refunded + item.amount)
    return replace(paid, voided=True)
