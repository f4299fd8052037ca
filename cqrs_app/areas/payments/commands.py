"""What people, and the processes that act for them, do with payments."""

from __future__ import annotations

from collections.abc import Iterator

from cqrs_app.areas.payments.types import (
    NOT_A_CARD,
    Amount,
    AmountOrAll,
    Method,
    PaymentId,
    Reference,
    looks_like_a_card,
)
from cqrs_app.areas.types import Currency, Note, OrderId, Reason
from cqrs_app.kernel import Command, Permission, Role, command

RECORD = Permission("payments.record", Role.SUPERVISOR)


@command(label="Authorise payment", permission=Permission("payments.authorise", Role.OPERATOR))
class AuthorisePayment(Command):
    """Authorize an amount for an order at the gateway. No money moves until it is captured."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Amount
    currency: Currency
    method: Method

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _no_card(method=self.method)


@command(label="Capture payment", permission=Permission("payments.capture", Role.OPERATOR))
class CapturePayment(Command):
    """Capture all or part of the authorised amount."""

    payment_id: PaymentId
    amount: AmountOrAll = None


@command(label="Void payment", permission=Permission("payments.void", Role.SUPERVISOR), risky=True)
class VoidPayment(Command):
    """Void what is authorised and not captured. An authorisation without an answer yet is voided as
    soon as it is answered.
    """

    payment_id: PaymentId
    reason: Reason


@command(
    label="Refund payment",
    permission=Permission("payments.refund", Role.SUPERVISOR),
    minds_version=True,
    risky=True,
    step_up=True,
)
class RefundPayment(Command):
    """Refund all or part of the captured amount."""

    payment_id: PaymentId
    amount: AmountOrAll = None
    reason: Reason


@command(label="Record payment", permission=RECORD)
class RecordPayment(Command):
    """Record money that came in without the gateway, such as a bank transfer."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Amount
    currency: Currency
    method: Method
    reference: Reference
    note: Note = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _no_card(method=self.method, reference=self.reference, note=self.note)


@command(
    label="Move to another order",
    permission=Permission("payments.move", Role.SUPERVISOR),
    minds_version=True,
)
class MovePayment(Command):
    """Count the money of this payment for another order from now on."""

    payment_id: PaymentId
    order_id: OrderId
    reason: Reason


@command(label="Resolve flagged response", permission=RECORD)
class ClearFlaggedAnswers(Command):
    """Record how what was flagged was resolved."""

    payment_id: PaymentId
    note: Reason


def _no_card(**texts: str) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if looks_like_a_card(text):
            yield name, NOT_A_CARD
