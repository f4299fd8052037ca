"""A gateway's answers as commands: sent by the job that asked, by its callback, or by hand. A
request is answered as a whole. A repeated answer, or one that no longer fits, is never refused: it
changes nothing, or is flagged for a person.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.payments.types import Amount, Code, PaymentId, Reference, RequestNo, Sentence
from cqrs_app.areas.payments.words import DisputeOutcome
from cqrs_app.kernel import Command, Permission, Role, command

ANSWER = Permission("payments.answer", Role.ADMIN)


@command(label="Record authorisation", permission=ANSWER)
class RecordAuthorisation(Command):
    """The gateway has authorised the amount."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record capture", permission=ANSWER)
class RecordCapture(Command):
    """The gateway has captured the amount."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record void", permission=ANSWER)
class RecordVoid(Command):
    """The gateway has voided the authorisation."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record refund", permission=ANSWER)
class RecordRefund(Command):
    """The gateway has refunded the amount."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record decline", permission=ANSWER)
class RecordDecline(Command):
    """The gateway declined the request."""

    payment_id: PaymentId
    request_no: RequestNo
    code: Code
    sentence: Sentence


@command(label="Record dispute", permission=ANSWER)
class RecordDispute(Command):
    """The customer's bank has taken money back until a dispute is settled."""

    payment_id: PaymentId
    reference: Reference
    amount: Amount
    sentence: Sentence


@command(label="Resolve dispute", permission=ANSWER)
class ResolveDispute(Command):
    """A dispute is settled: won, and the shop has the money again, or lost."""

    payment_id: PaymentId
    reference: Reference
    outcome: Annotated[DisputeOutcome, Meta(title="Outcome")]
