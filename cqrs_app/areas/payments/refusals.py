"""What each task can be refused with, as the catalogue tells it."""

from __future__ import annotations

from types import MappingProxyType

from cqrs_app.areas.payments import answers, commands

_UNKNOWN = {"no_such_payment": "There is no payment of this number."}
_TAKEN = {"payment_exists": "The number was used before."}
_REQUEST = _UNKNOWN | {"no_such_request": "The gateway was asked for nothing of this kind."}
_NOT_FREE = _UNKNOWN | {
    "answer_awaited": "The gateway has not answered yet.",
    "declined": "The gateway declined it.",
    "voided": "It is voided, or about to be.",
}

REFUSALS = MappingProxyType(
    {
        commands.AuthorisePayment: _TAKEN,
        commands.RecordPayment: _TAKEN,
        commands.CapturePayment: _NOT_FREE
        | {
            "nothing_to_capture": "All of it is captured.",
            "more_than_authorised": "Less of it is left.",
        },
        commands.VoidPayment: _NOT_FREE | {"nothing_to_void": "All of it is captured."},
        commands.RefundPayment: _UNKNOWN
        | {
            "nothing_to_refund": "Nothing of what was captured is left with the shop.",
            "more_than_captured": "Less of it is left.",
        },
        commands.ClearFlaggedAnswers: _UNKNOWN | {"nothing_flagged": "No answer waits."},
        answers.RecordAuthorisation: _REQUEST,
        answers.RecordCapture: _REQUEST,
        answers.RecordVoid: _REQUEST,
        answers.RecordRefund: _REQUEST,
        answers.RecordDecline: _REQUEST,
        answers.RecordDispute: _UNKNOWN,
        answers.ResolveDispute: _UNKNOWN
        | {
            "no_such_dispute": "The payment has no dispute of this reference.",
            "dispute_settled": "It was settled the other way.",
        },
    }
)
