"""The history of a payment, as a person reads it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.read_models import payment_timeline
from cqrs_app.kernel import Handler, Projection, Recorded, Rows

LABELS = MappingProxyType(
    {
        was.PaymentAuthorisationRequested: "Authorisation asked for",
        was.PaymentAuthorised: "Authorised",
        was.PaymentCaptureRequested: "Capture asked for",
        was.PaymentCaptured: "Captured",
        was.PaymentVoidPlanned: "To be voided",
        was.PaymentVoidRequested: "Void asked for",
        was.PaymentVoided: "Voided",
        was.PaymentRefundRequested: "Refund asked for",
        was.PaymentRefunded: "Refunded",
        was.PaymentRecorded: "Recorded",
        was.PaymentDeclined: "Declined",
        was.PaymentAnswerFlagged: "Answer nobody expected",
        was.PaymentFlagged: "Flagged",
        was.PaymentMoved: "Moved to another order",
        was.FlaggedAnswersCleared: "Flags cleared",
        was.PaymentDisputed: "Disputed",
        was.PaymentDisputeResolved: "Dispute settled",
    }
)
TOLD = ("asked", "answer", "method", "reference", "code", "sentence", "outcome", "reason", "note")
"""The fields of events that an entry shows, in this order."""


class PaymentTimelineProjection(Projection):
    """One row per event, all made alike."""

    name: ClassVar[str] = "payment_timeline"
    tables: ClassVar[tuple[Table, ...]] = (payment_timeline,)

    def bind(self, events: Any) -> None:
        self.handlers: dict[str, Handler] = dict.fromkeys(
            (event.__name__ for event in events if event in LABELS), _enter
        )


def _enter(event: Any, recorded: Recorded, rows: Rows) -> None:
    stored = recorded.stored
    parts = [str(getattr(event, name, "")) for name in TOLD]
    if isinstance(event, was.PaymentMoved):
        parts.insert(0, f"From order {event.from_order_id} to {event.order_id}")
    rows.put(
        payment_timeline,
        payment_id=event.payment_id,
        version=stored.version,
        at=stored.occurred_at,
        operator=stored.operator,
        type=stored.type,
        label=LABELS[type(event)],
        amount=getattr(event, "amount", None),
        currency=getattr(event, "currency", ""),
        text=" · ".join(part for part in parts if part),
        command_id=stored.command_id,
    )
