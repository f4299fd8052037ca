"""The ledger: every movement of money twice, once for the account it left and once for the account
it went to. Accounts are seen from the shop: what a provider or the bank holds for the shop is
positive, what customers have paid is negative. An authorisation moves nothing and is not included.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.read_models import ledger_entries
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.kernel import Projection, Recorded, Rows

CUSTOMERS, PROVIDER, BANK, DISPUTED, LOST = "customers", "provider", "bank", "disputed", "lost"
ACCOUNTS = (CUSTOMERS, PROVIDER, BANK, DISPUTED, LOST)


class LedgerProjection(Projection):
    """Two rows per movement of money; an event is at most one movement."""

    name: ClassVar[str] = "ledger"
    tables: ClassVar[tuple[Table, ...]] = (ledger_entries,)

    def payment_captured(self, event: was.PaymentCaptured, recorded: Recorded, rows: Rows) -> None:
        _move(event, recorded, rows, "Captured", CUSTOMERS, _held(event))

    def payment_recorded(self, event: was.PaymentRecorded, recorded: Recorded, rows: Rows) -> None:
        _move(event, recorded, rows, "Recorded", CUSTOMERS, _held(event))

    def payment_refunded(self, event: was.PaymentRefunded, recorded: Recorded, rows: Rows) -> None:
        _move(event, recorded, rows, "Refunded", _held(event), CUSTOMERS)

    def payment_disputed(self, event: was.PaymentDisputed, recorded: Recorded, rows: Rows) -> None:
        _move(event, recorded, rows, "Disputed", _held(event), DISPUTED)

    def payment_dispute_resolved(
        self, event: was.PaymentDisputeResolved, recorded: Recorded, rows: Rows
    ) -> None:
        won = event.outcome == "won"
        what = "Dispute won" if won else "Dispute lost"
        _move(event, recorded, rows, what, DISPUTED, _held(event) if won else LOST)


def _held(event: Any) -> str:
    return BANK if event.gateway == MANUAL else PROVIDER


def _move(event: Any, recorded: Recorded, rows: Rows, what: str, left: str, went: str) -> None:
    for account, amount in ((left, -event.amount), (went, event.amount)):
        rows.put(
            ledger_entries,
            position=recorded.stored.position,
            account=account,
            payment_id=event.payment_id,
            order_id=event.order_id,
            what=what,
            at=recorded.occurred_at,
            currency=event.currency,
            amount=amount,
        )
