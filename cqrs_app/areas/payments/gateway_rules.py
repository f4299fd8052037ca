"""What a gateway's answer leads to. Pure. An answer may arrive twice, late, or after another one:
the first counts, its repetition changes nothing, and a contradicting one is flagged for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments import gateway_commands
from cqrs_app.areas.payments.requests import Request
from cqrs_app.areas.payments.rules import (
    DISPUTE_SETTLED,
    NO_SUCH_DISPUTE,
    NO_SUCH_REQUEST,
    exists,
)
from cqrs_app.areas.payments.state import PaymentState, flag_key
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel import Event, handles


@dataclass
class AnsweredPayment(PaymentState):
    """A payment as its gateway sees it."""

    @handles(gateway_commands.RecordAuthorisation, when=exists, refusals=[NO_SUCH_REQUEST])
    def record_authorisation(
        self, command: gateway_commands.RecordAuthorisation
    ) -> Iterator[Event]:
        request = _asked(self, command.request_no, Asked.AUTHORISATION)
        if not request.is_open:
            yield from _again(self, command.request_no, "authorised", command.reference)
            return
        void = self.void_planned
        yield was.PaymentAuthorised(
            **_of(self, command.request_no, request), reference=command.reference
        )
        if void:
            yield was.PaymentVoidRequested(
                **self.asking(request.amount), reason="It was to be voided once it was authorised."
            )

    @handles(gateway_commands.RecordCapture, when=exists, refusals=[NO_SUCH_REQUEST])
    def record_capture(self, command: gateway_commands.RecordCapture) -> Iterator[Event]:
        request = _asked(self, command.request_no, Asked.CAPTURE)
        if not request.is_open:
            yield from _again(self, command.request_no, "captured", command.reference)
            return
        yield was.PaymentCaptured(
            **_of(self, command.request_no, request), reference=command.reference
        )

    @handles(gateway_commands.RecordVoid, when=exists, refusals=[NO_SUCH_REQUEST])
    def record_void(self, command: gateway_commands.RecordVoid) -> Iterator[Event]:
        request = _asked(self, command.request_no, Asked.VOID)
        if not request.is_open:
            yield from _again(self, command.request_no, "voided", command.reference)
            return
        yield was.PaymentVoided(
            **_of(self, command.request_no, request), reference=command.reference
        )

    @handles(gateway_commands.RecordRefund, when=exists, refusals=[NO_SUCH_REQUEST])
    def record_refund(self, command: gateway_commands.RecordRefund) -> Iterator[Event]:
        request = _asked(self, command.request_no, Asked.REFUND)
        if not request.is_open:
            yield from _again(self, command.request_no, "refunded", command.reference)
            return
        yield was.PaymentRefunded(
            **_of(self, command.request_no, request), reference=command.reference
        )

    @handles(gateway_commands.RecordDecline, when=exists, refusals=[NO_SUCH_REQUEST])
    def record_decline(self, command: gateway_commands.RecordDecline) -> Iterator[Event]:
        request = _asked(self, command.request_no, None)
        if not request.is_open:
            yield from _again(self, command.request_no, "declined", command.code)
            return
        yield was.PaymentDeclined(
            payment_id=self.payment_id,
            order_id=self.order_id,
            request_no=command.request_no,
            asked=str(request.asked),
            amount=request.amount,
            currency=self.currency,
            code=command.code,
            sentence=command.sentence,
        )

    @handles(gateway_commands.RecordDispute, when=exists)
    def record_dispute(self, command: gateway_commands.RecordDispute) -> Iterator[Event]:
        if command.reference in self.disputes:
            return
        yield was.PaymentDisputed(
            payment_id=self.payment_id,
            order_id=self.order_id,
            amount=command.amount,
            currency=self.currency,
            gateway=self.gateway,
            reference=command.reference,
            sentence=command.sentence,
        )

    @handles(
        gateway_commands.ResolveDispute, when=exists, refusals=[NO_SUCH_DISPUTE, DISPUTE_SETTLED]
    )
    def resolve_dispute(self, command: gateway_commands.ResolveDispute) -> Iterator[Event]:
        dispute = self.disputes.get(command.reference)
        if dispute is None:
            raise NO_SUCH_DISPUTE.because(
                f"Payment {command.payment_id} has no dispute {command.reference}.",
                "Record the dispute first.",
            )
        if dispute.outcome == str(command.outcome):
            return
        if dispute.outcome:
            raise DISPUTE_SETTLED.because(
                f"The dispute {command.reference} is settled already: {dispute.outcome}."
            )
        yield was.PaymentDisputeResolved(
            payment_id=self.payment_id,
            order_id=self.order_id,
            amount=dispute.amount,
            currency=self.currency,
            gateway=self.gateway,
            reference=command.reference,
            outcome=str(command.outcome),
        )


def _asked(payment: PaymentState, number: int, asked: Asked | None) -> Request:
    """The request being answered; of this kind if one is named."""
    if number <= len(payment.requests):
        request = payment.requests[number - 1]
        if asked in (None, request.asked):
            return request
    raise NO_SUCH_REQUEST.because(
        f"Payment {payment.payment_id} has no such request {number}.",
        "Its page shows the requests.",
    )


def _again(payment: PaymentState, number: int, answer: str, told: str) -> Iterator[Event]:
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


def _of(payment: PaymentState, request_no: int, request: Request) -> dict[str, Any]:
    """The fields that every answered request has."""
    return {
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "request_no": request_no,
        "amount": request.amount,
        "currency": payment.currency,
        "gateway": payment.gateway,
    }
