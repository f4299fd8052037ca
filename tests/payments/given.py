"""Sentences about a payment: given these events, when this command, then these or a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cqrs_app.areas.payments import answers, payments_area
from cqrs_app.areas.payments import commands as do
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.kernel.commands.aggregate import decide
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command, Event

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THE = "P1"
METHODS = payments_area("sandbox").handles[Payment]


@dataclass
class Story:
    """A payment and all that happened to it."""

    payment: Payment = field(default_factory=Payment)
    events: list[Event] = field(default_factory=list)

    def tell(self, *commands: Command) -> Story:
        for command in commands:
            self.do(command)
        return self

    def do(self, command: Command) -> list[str]:
        """The names of the events that it led to. Raises Refused."""
        found = decide(self.payment, METHODS[type(command)], command, NOON).events
        self.events += found
        return [type(event).__name__ for event in found]

    def refusal(self, command: Command) -> str:
        """The code it is refused with; nothing must have changed."""
        with pytest.raises(Refused) as refused:
            self.do(command)
        assert "Nothing was changed" in refused.value.sentence
        return refused.value.code


def authorise(amount: str = "10", **rest: str) -> do.AuthorisePayment:
    values = {"payment_id": THE, "order_id": "W1", "currency": "GBP", "method": "tok_visa"} | rest
    return do.AuthorisePayment(amount=Decimal(amount), **values)


def record(amount: str = "10") -> do.RecordPayment:
    return do.RecordPayment(
        payment_id=THE,
        order_id="W1",
        amount=Decimal(amount),
        currency="GBP",
        method="bank transfer",
        reference="B1",
    )


def capture(amount: str | None = None) -> do.CapturePayment:
    return do.CapturePayment(payment_id=THE, amount=Decimal(amount) if amount else None)


def void() -> do.VoidPayment:
    return do.VoidPayment(payment_id=THE, reason="Not wanted.")


def refund(amount: str | None = None) -> do.RefundPayment:
    wanted = Decimal(amount) if amount else None
    return do.RefundPayment(payment_id=THE, amount=wanted, reason="It came back.")


def authorised(number: int = 1, reference: str = "a") -> answers.RecordAuthorisation:
    return answers.RecordAuthorisation(payment_id=THE, request_no=number, reference=reference)


def captured(number: int = 2, reference: str = "c") -> answers.RecordCapture:
    return answers.RecordCapture(payment_id=THE, request_no=number, reference=reference)


def voided(number: int = 2, reference: str = "v") -> answers.RecordVoid:
    return answers.RecordVoid(payment_id=THE, request_no=number, reference=reference)


def refunded(number: int = 3, reference: str = "r") -> answers.RecordRefund:
    return answers.RecordRefund(payment_id=THE, request_no=number, reference=reference)


def declined(number: int = 1) -> answers.RecordDecline:
    return answers.RecordDecline(payment_id=THE, request_no=number, code="no", sentence="No.")


def disputed(amount: str = "10", reference: str = "d") -> answers.RecordDispute:
    return answers.RecordDispute(
        payment_id=THE, reference=reference, amount=Decimal(amount), sentence="Not mine."
    )


def resolved(outcome: str, reference: str = "d") -> answers.ResolveDispute:
    return answers.ResolveDispute(
        payment_id=THE, reference=reference, outcome=answers.DisputeOutcome(outcome)
    )


CAPTURED = (authorise(), authorised(), capture(), captured())
