"""The state of a payment: its requests to the gateway, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.requests import NOTHING, Dispute, Request, total
from cqrs_app.areas.payments.words import Asked, PaymentStatus, status_of
from cqrs_app.kernel import Aggregate, Event


@dataclass
class PaymentState(Aggregate):
    """`requests` were sent to the gateway; their numbers count from 1. `flags` are the answers to
    review, `ever_flagged` all of them, so that none is flagged twice. `disputes` are by the
    gateway's reference.
    """

    category: ClassVar[str] = "payment"
    identity: ClassVar[str] = "payment_id"

    payment_id: str = ""
    order_id: str = ""
    currency: str = ""
    amount: Decimal = NOTHING
    method: str = ""
    gateway: str = ""
    started_at: datetime | None = None
    recorded: Decimal = NOTHING
    void_planned: bool = False
    requests: list[Request] = field(default_factory=list)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    ever_flagged: list[str] = field(default_factory=list)

    def asking(self, amount: Decimal) -> dict[str, Any]:
        """The fields that every further request has."""
        return {
            "payment_id": self.payment_id,
            "order_id": self.order_id,
            "request_no": len(self.requests) + 1,
            "amount": amount,
            "currency": self.currency,
            "gateway": self.gateway,
        }

    @property
    def worth(self) -> Mapping[str, Decimal]:
        return {self.currency: self.amount} if self.currency else {}

    @property
    def authorised(self) -> Decimal:
        return self.recorded + total(self.requests, Asked.AUTHORISATION, "done")

    @property
    def captured(self) -> Decimal:
        return self.recorded + total(self.requests, Asked.CAPTURE, "done")

    @property
    def refunded(self) -> Decimal:
        return total(self.requests, Asked.REFUND, "done")

    @property
    def voided(self) -> bool:
        return total(self.requests, Asked.VOID, "done") > 0

    @property
    def declined(self) -> bool:
        return total(self.requests, Asked.AUTHORISATION, "declined") > 0

    @property
    def status(self) -> PaymentStatus:
        return status_of(
            authorised=self.authorised,
            captured=self.captured,
            refunded=self.refunded,
            voided=self.voided,
            declined=self.declined,
        )

    def disputed(self, *outcomes: str) -> Decimal:
        """The sum of the disputes with one of these outcomes ("": not settled)."""
        fit = (each.amount for each in self.disputes.values() if each.outcome in outcomes)
        return sum(fit, NOTHING)

    def reference_for(self, asked: Asked) -> str:
        """The gateway's reference for what is to be captured, voided or refunded; empty if it has
        none yet.
        """
        meant = Asked.CAPTURE if asked == Asked.REFUND else Asked.AUTHORISATION
        done = (each for each in self.requests if each.asked == meant and each.outcome == "done")
        return next((each.answer for each in done), "")

    def waits_for(self, request_no: int) -> bool:
        """Whether this request has no answer yet."""
        return 0 < request_no <= len(self.requests) and self.requests[request_no - 1].is_open

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case was.PaymentAuthorisationRequested() | was.PaymentRecorded():
                self.payment_id, self.order_id = event.payment_id, event.order_id
                self.currency, self.amount = event.currency, event.amount
                self.method, self.gateway = event.method, event.gateway
                self.started_at = at
            case was.PaymentVoidPlanned():
                self.void_planned = True
            case was.PaymentAnswerFlagged():
                key = flag_key(event.request_no, event.answer, event.reference)
                self.flags.append(key)
                self.ever_flagged.append(key)
            case was.PaymentFlagged():
                self.flags.append(event.code)
            case was.PaymentMoved():
                self.order_id = event.order_id
            case was.FlaggedAnswersCleared():
                self.flags = []
            case was.PaymentDisputed():
                self.disputes[event.reference] = Dispute(event.amount)
            case was.PaymentDisputeResolved():
                self.disputes[event.reference].outcome = event.outcome
        self._count(event)

    def _count(self, event: Event) -> None:
        match event:
            case was.PaymentRecorded():
                self.recorded = event.amount
            case was.PaymentAuthorisationRequested():
                self.requests.append(Request(Asked.AUTHORISATION, event.amount))
            case was.PaymentCaptureRequested():
                self.requests.append(Request(Asked.CAPTURE, event.amount))
            case was.PaymentVoidRequested():
                self.void_planned = False
                self.requests.append(Request(Asked.VOID, event.amount))
            case was.PaymentRefundRequested():
                self.requests.append(Request(Asked.REFUND, event.amount))
            case (
                was.PaymentAuthorised()
                | was.PaymentCaptured()
                | was.PaymentVoided()
                | was.PaymentRefunded()
            ):
                request = self.requests[event.request_no - 1]
                request.outcome, request.answer = "done", event.reference
            case was.PaymentDeclined():
                request = self.requests[event.request_no - 1]
                request.outcome, request.answer = "declined", event.code
                # Nothing is authorised, so there is nothing to void.
                self.void_planned = False


def flag_key(request_no: int, answer: str, reference: str) -> str:
    """What identifies an answer when it is repeated."""
    return f"{request_no} {answer} {reference}"
