"""The payment of an order in a file, and its refund. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from cqrs_app.areas.payments.commands import RecordPayment, RefundPayment
from cqrs_app.areas.payments.gateway_commands import RecordRefund
from cqrs_app.areas.payments.types import looks_like_a_card
from cqrs_app.platform.transfer.imports.documents import Step
from cqrs_app.platform.transfer.imports.fields import PAID
from cqrs_app.platform.transfer.imports.line import Line
from cqrs_app.standards.money import charged

PAYMENT_COMMANDS = (RecordPayment, RefundPayment, RecordRefund)
UNKNOWN_METHOD = "Imported"
REFUNDED = "Refund of the imported history"


def payment_steps(lines: Sequence[Line], total: Decimal, latest: datetime) -> Iterator[Step]:
    """One payment, if the file says that the order was paid, of the whole total if it says no
    amount; and its refund. Without a time, the order was paid when it was placed, and refunded at
    the latest time that is known."""
    first = lines[0]
    meant = any(first.meanings.get(name) in PAID for name in ("payment_status", "status"))
    refunded = abs(first.amounts.get("refunded", Decimal(0)))
    amount = first.amounts.get("paid_amount")
    if amount is None and (meant or refunded or "paid" in first.moments):
        amount = total
    if not amount or amount < 0:
        return
    payment_id = f"{first.number}-P1"[-60:]
    recorded = RecordPayment(
        payment_id=payment_id,
        order_id=first.number,
        amount=charged(amount, first.currency),
        currency=first.currency,
        method=_without_card(first.texts.get("payment_method", "")) or UNKNOWN_METHOD,
        reference=_without_card(first.texts.get("payment_reference", "")) or f"import-{payment_id}",
    )
    yield Step(first.moments.get("paid", first.at), recorded, "payment")
    if refunded:
        at = first.moments.get("refunded_at", latest)
        refund = RefundPayment(
            payment_id=payment_id, amount=charged(refunded, first.currency), reason=REFUNDED
        )
        yield Step(at, refund, "refund")
        # A recorded payment has no requests before this one.
        answer = RecordRefund(
            payment_id=payment_id, request_no=1, reference=f"import-{payment_id}-refund"
        )
        yield Step(at, answer, "refunded")


def _without_card(text: str) -> str:
    return "" if looks_like_a_card(text) else text[:100]
