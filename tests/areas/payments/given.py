"""One payment, and the commands on it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from cqrs_app.areas.payments import commands as do
from cqrs_app.areas.payments import gateway_commands, payments_area
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.testing import History

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THE = "P1"
REGISTRY = Registry([payments_area("sandbox")])


class Story(History):
    """The history of one payment."""

    def __init__(self) -> None:
        super().__init__(REGISTRY, NOON)

    @property
    def payment(self) -> Payment:
        found: Payment = self.aggregates.get(Payment.stream_of(THE)) or Payment()
        return found

    @property
    def events(self) -> list[Event]:
        return [each.event for each in self.recorded]

    def tell(self, *commands: Command) -> Story:
        for command in commands:
            self.do(command)
        return self

    def do(self, command: Command) -> list[str]:
        """Run a command; returns the names of its events. Raises Refused."""
        return self.run(command).names

    def refusal(self, command: Command) -> str:
        """The code with which the command is refused. Nothing must change."""
        before = len(self.recorded)
        refusal = self.run(command).refusal
        assert refusal is not None, f"{command} was accepted"
        assert "Nothing was changed" in refusal.sentence
        assert len(self.recorded) == before
        return refusal.code


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


def move(to: str = "W2") -> do.MovePayment:
    return do.MovePayment(payment_id=THE, order_id=to, reason="Written to the wrong order.")


def void() -> do.VoidPayment:
    return do.VoidPayment(payment_id=THE, reason="Not wanted.")


def refund(amount: str | None = None) -> do.RefundPayment:
    wanted = Decimal(amount) if amount else None
    return do.RefundPayment(payment_id=THE, amount=wanted, reason="It came back.")


def authorised(number: int = 1, reference: str = "a") -> gateway_commands.RecordAuthorisation:
    return gateway_commands.RecordAuthorisation(
        payment_id=THE, request_no=number, reference=reference
    )


def captured(number: int = 2, reference: str = "c") -> gateway_commands.RecordCapture:
    return gateway_commands.RecordCapture(payment_id=THE, request_no=number, reference=reference)


def voided(number: int = 2, reference: str = "v") -> gateway_commands.RecordVoid:
    return gateway_commands.RecordVoid(payment_id=THE, request_no=number, reference=reference)


def refunded(number: int = 3, reference: str = "r") -> gateway_commands.RecordRefund:
    return gateway_commands.RecordRefund(payment_id=THE, request_no=number, reference=reference)


def declined(number: int = 1) -> gateway_commands.RecordDecline:
    return gateway_commands.RecordDecline(
        payment_id=THE, request_no=number, code="no", sentence="No."
    )


def disputed(amount: str = "10", reference: str = "d") -> gateway_commands.RecordDispute:
    return gateway_commands.RecordDispute(
        payment_id=THE, reference=reference, amount=Decimal(amount), sentence="Not mine."
    )


def resolved(outcome: str, reference: str = "d") -> gateway_commands.ResolveDispute:
    return gateway_commands.ResolveDispute(
        payment_id=THE, reference=reference, outcome=gateway_commands.DisputeOutcome(outcome)
    )


CAPTURED = (authorise(), authorised(), capture(), captured())
