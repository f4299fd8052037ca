"""What happened to an order's payments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.desk.entries.entry import Entry, amount
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.payments import events as was
from cqrs_app.kernel import Event

_DETAIL = MappingProxyType(
    {
        "method": "Method",
        "reference": "Reference",
        "reason": "Reason",
        "outcome": "Outcome",
        "code": "Code",
        "sentence": "Reason",
        "note": "Note",
    }
)
"""Field -> the label of that detail, in the order in which they are shown."""


def _about(label: str) -> Callable[[Any], Entry]:
    return lambda event: _entry(event, label)


def _declined(event: was.PaymentDeclined) -> Entry:
    asked = "Payment" if event.asked == "authorisation" else event.asked.capitalize()
    return _entry(event, f"{asked} declined")


def _moved(event: was.PaymentMoved) -> Entry:
    return _entry(
        event, "Payment moved", ("From order", event.from_order_id), ("To order", event.order_id)
    )


def _entry(event: Any, label: str, *more: tuple[str, str]) -> Entry:
    detail = [("Payment", event.payment_id)]
    if hasattr(event, "amount"):
        detail.insert(0, ("Amount", amount(event.amount, event.currency)))
    detail += more
    detail += [(name, str(getattr(event, field, ""))) for field, name in _DETAIL.items()]
    return Entry(EntryKind.PAYMENT, label, tuple(detail), item=event.payment_id)


ENTRIES: Mapping[type[Event], Callable[[Any], Entry]] = MappingProxyType(
    {
        was.PaymentAuthorisationRequested: _about("Payment requested"),
        was.PaymentAuthorised: _about("Payment authorised"),
        was.PaymentCaptureRequested: _about("Capture requested"),
        was.PaymentCaptured: _about("Payment captured"),
        was.PaymentVoidPlanned: _about("Void planned"),
        was.PaymentVoidRequested: _about("Void requested"),
        was.PaymentVoided: _about("Payment voided"),
        was.PaymentRefundRequested: _about("Refund requested"),
        was.PaymentRefunded: _about("Payment refunded"),
        was.PaymentRecorded: _about("Payment recorded"),
        was.PaymentDeclined: _declined,
        was.PaymentAnswerFlagged: _about("Gateway response flagged"),
        was.PaymentFlagged: _about("Payment flagged"),
        was.PaymentMoved: _moved,
        was.FlaggedAnswersCleared: _about("Payment flags cleared"),
        was.PaymentDisputed: _about("Payment disputed"),
        was.PaymentDisputeResolved: _about("Dispute resolved"),
    }
)

COVERED_BY_THE_ANSWER = frozenset(
    {was.PaymentCaptureRequested, was.PaymentVoidPlanned, was.PaymentVoidRequested}
)
"""Left out where fulfilment requested it: no person decided anything, and the answer follows."""
