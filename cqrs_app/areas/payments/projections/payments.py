"""One row per payment with its sums, so that lists add nothing up."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.read_models import payments
from cqrs_app.areas.payments.words import Asked, status_of
from cqrs_app.kernel import Key, Projection, Recorded, Row, Rows

_NONE = Decimal(0)


class PaymentsProjection(Projection):
    """It sends nothing to a gateway: a replay is harmless."""

    name: ClassVar[str] = "payments"
    tables: ClassVar[tuple[Table, ...]] = (payments,)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield payments, (event.payment_id,)

    def payment_authorisation_requested(
        self, event: was.PaymentAuthorisationRequested, recorded: Recorded, rows: Rows
    ) -> None:
        _begin(event, recorded, rows)
        _settle(_row(event, recorded, rows), waiting=1)

    def payment_recorded(self, event: was.PaymentRecorded, recorded: Recorded, rows: Rows) -> None:
        _begin(event, recorded, rows)
        _settle(_row(event, recorded, rows), authorised=event.amount, captured=event.amount)

    def payment_authorised(
        self, event: was.PaymentAuthorised, recorded: Recorded, rows: Rows
    ) -> None:
        _settle(_row(event, recorded, rows), authorised=event.amount, waiting=-1)

    def payment_capture_requested(
        self, event: was.PaymentCaptureRequested, recorded: Recorded, rows: Rows
    ) -> None:
        _settle(_row(event, recorded, rows), waiting=1)

    def payment_captured(self, event: was.PaymentCaptured, recorded: Recorded, rows: Rows) -> None:
        _settle(_row(event, recorded, rows), captured=event.amount, waiting=-1)

    def payment_void_planned(
        self, event: was.PaymentVoidPlanned, recorded: Recorded, rows: Rows
    ) -> None:
        """Nothing is requested yet: only the version changes."""
        _row(event, recorded, rows)

    def payment_void_requested(
        self, event: was.PaymentVoidRequested, recorded: Recorded, rows: Rows
    ) -> None:
        _settle(_row(event, recorded, rows), waiting=1)

    def payment_voided(self, event: was.PaymentVoided, recorded: Recorded, rows: Rows) -> None:
        row = _row(event, recorded, rows)
        row["voided"] = True
        _settle(row, waiting=-1)

    def payment_refund_requested(
        self, event: was.PaymentRefundRequested, recorded: Recorded, rows: Rows
    ) -> None:
        _settle(_row(event, recorded, rows), waiting=1)

    def payment_refunded(self, event: was.PaymentRefunded, recorded: Recorded, rows: Rows) -> None:
        _settle(_row(event, recorded, rows), refunded=event.amount, waiting=-1)

    def payment_declined(self, event: was.PaymentDeclined, recorded: Recorded, rows: Rows) -> None:
        row = _row(event, recorded, rows)
        row["declined"] = row["declined"] or event.asked == Asked.AUTHORISATION
        _settle(row, waiting=-1)

    def payment_answer_flagged(
        self, event: was.PaymentAnswerFlagged, recorded: Recorded, rows: Rows
    ) -> None:
        _settle(_row(event, recorded, rows), flagged=1)

    def payment_flagged(self, event: was.PaymentFlagged, recorded: Recorded, rows: Rows) -> None:
        _settle(_row(event, recorded, rows), flagged=1)

    def payment_moved(self, event: was.PaymentMoved, recorded: Recorded, rows: Rows) -> None:
        _row(event, recorded, rows)["order_id"] = event.order_id

    def flagged_answers_cleared(
        self, event: was.FlaggedAnswersCleared, recorded: Recorded, rows: Rows
    ) -> None:
        row = _row(event, recorded, rows)
        _settle(row, flagged=-row["flagged"])

    def payment_disputed(self, event: was.PaymentDisputed, recorded: Recorded, rows: Rows) -> None:
        _row(event, recorded, rows)["disputed"] += event.amount

    def payment_dispute_resolved(
        self, event: was.PaymentDisputeResolved, recorded: Recorded, rows: Rows
    ) -> None:
        row = _row(event, recorded, rows)
        row["disputed"] -= event.amount
        row["lost"] += event.amount if event.outcome == "lost" else _NONE


def _begin(
    event: was.PaymentAuthorisationRequested | was.PaymentRecorded, recorded: Recorded, rows: Rows
) -> None:
    names = ("payment_id", "order_id", "gateway", "method", "currency", "amount")
    sums = ("authorised", "captured", "refunded", "disputed", "lost", "uncaptured")
    rows.put(
        payments,
        **{name: getattr(event, name) for name in names},
        **dict.fromkeys(sums, _NONE),
        status="",
        voided=False,
        declined=False,
        waiting=0,
        flagged=0,
        unsettled=False,
        started_at=recorded.occurred_at,
        updated_at=recorded.recorded_at,
        applied_version=recorded.version,
    )


def _row(event: Any, recorded: Recorded, rows: Rows) -> Row:
    row = rows.change(payments, event.payment_id)
    row["applied_version"], row["updated_at"] = recorded.version, recorded.recorded_at
    return row


def _settle(row: Row, **more: Any) -> None:
    """Add to the row's sums, and update the payment's status."""
    for name, amount in more.items():
        row[name] += amount
    row["uncaptured"] = _NONE if row["voided"] else row["authorised"] - row["captured"]
    row["unsettled"] = bool(row["waiting"] or row["flagged"] or row["uncaptured"])
    names = ("authorised", "captured", "refunded", "voided", "declined")
    row["status"] = str(status_of(**{name: row[name] for name in names}))
