"""What a gateway's answer leads to. Pure.

An answer may come twice, late, or after another one: the first counts, its repetition changes
nothing, and one that contradicts it is flagged for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cqrs_app.areas.payments import answers, rules
from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.payment import Payment, flag_key
from cqrs_app.areas.payments.requests import Request
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event


def authorised(payment: Payment, command: answers.RecordAuthorisation) -> Iterator[Event]:
    request = _asked(payment, command.payment_id, command.request_no, Asked.AUTHORISATION)
    if not request.is_open:
        yield from _again(payment, command.request_no, "authorised", command.reference)
        return
    void = payment.void_planned
    yield was.PaymentAuthorised(
        **_of(payment, command.request_no, request), reference=command.reference
    )
    if void:
        yield was.PaymentVoidRequested(
            **payment.asking(request.amount), reason="It was to be voided once it was authorised."
        )


def captured(payment: Payment, command: answers.RecordCapture) -> Iterator[Event]:
    request = _asked(payment, command.payment_id, command.request_no, Asked.CAPTURE)
    if not request.is_open:
        yield from _again(payment, command.request_no, "captured", command.reference)
        return
    yield was.PaymentCaptured(
        **_of(payment, command.request_no, request), reference=command.reference
    )


def voided(payment: Payment, command: answers.RecordVoid) -> Iterator[Event]:
    request = _asked(payment, command.payment_id, command.request_no, Asked.VOID)
    if not request.is_open:
        yield from _again(payment, command.request_no, "voided", command.reference)
        return
    yield was.PaymentVoided(
        **_of(payment, command.request_no, request), reference=command.reference
    )


def refunded(payment: Payment, command: answers.RecordRefund) -> Iterator[Event]:
    request = _asked(payment, command.payment_id, command.request_no, Asked.REFUND)
    if not request.is_open:
        yield from _again(payment, command.request_no, "refunded", command.reference)
        return
    yield was.PaymentRefunded(
        **_of(payment, command.request_no, request), reference=command.reference
    )


def declined(payment: Payment, command: answers.RecordDecline) -> Iterator[Event]:
    request = _asked(payment, command.payment_id, command.request_no, None)
    if not request.is_open:
        yield from _again(payment, command.request_no, "declined", command.code)
        return
    yield was.PaymentDeclined(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        request_no=command.request_no,
        asked=str(request.asked),
        amount=request.amount,
        currency=payment.currency,
        code=command.code,
        sentence=command.sentence,
    )


def disputed(payment: Payment, command: answers.RecordDispute) -> Iterator[Event]:
    rules.require(payment, command.payment_id)
    if command.reference in payment.disputes:
        return
    yield was.PaymentDisputed(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        amount=command.amount,
        currency=payment.currency,
        gateway=payment.gateway,
        reference=command.reference,
        sentence=command.sentence,
    )


def resolved(payment: Payment, command: answers.ResolveDispute) -> Iterator[Event]:
    rules.require(payment, command.payment_id)
    dispute = payment.disputes.get(command.reference)
    if dispute is None:
        raise Refused(
            "no_such_dispute",
            f"Payment {command.payment_id} has no dispute {command.reference}. "
            f"Nothing was changed. Record the dispute first.",
        )
    if dispute.outcome == str(command.outcome):
        return
    if dispute.outcome:
        raise Refused(
            "dispute_settled",
            f"The dispute {command.reference} is settled already: {dispute.outcome}. "
            f"Nothing was changed.",
        )
    yield was.PaymentDisputeResolved(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        amount=dispute.amount,
        currency=payment.currency,
        gateway=payment.gateway,
        reference=command.reference,
        outcome=str(command.outcome),
    )


def _asked(payment: Payment, payment_id: str, number: int, asked: Asked | None) -> Request:
    """The request that is answered, of this kind where one is named."""
    rules.require(payment, payment_id)
    if number <= len(payment.requests):
        request = payment.requests[number - 1]
        if asked in (None, request.asked):
            return request
    raise Refused(
        "no_such_request",
        f"Payment {payment_id} has no such request {number}. "
        f"Nothing was changed. Its page shows what was asked for.",
    )


def _again(payment: Payment, number: int, answer: str, told: str) -> Iterator[Event]:
    """Nothing for the answer it had, else a flag, once; `told` is the reference or the code."""
    request = payment.requests[number - 1]
    same = (request.outcome == "declined") == (answer == "declined")
    if same and (request.answer == told or answer == "declined"):
        return
    if flag_key(number, answer, told) in payment.ever_flagged:
        return
    yield was.PaymentAnswerFlagged(
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        request_no=number,
        asked=str(request.asked),
        answer=answer,
        reference=told,
        amount=request.amount,
        currency=payment.currency,
        sentence=f"The {request.asked} was {request.outcome} before, as {request.answer}. "
        f"Look at what the gateway shows, and put it right there.",
    )


def _of(payment: Payment, request_no: int, request: Request) -> dict[str, Any]:
    """The fields that every answered request has."""
    return {
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "request_no": request_no,
        "amount": request.amount,
        "currency": payment.currency,
        "gateway": payment.gateway,
    }
