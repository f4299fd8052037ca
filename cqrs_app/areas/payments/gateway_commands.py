"""What a gateway answers, as commands: sent by the job that asked, by its callback, or by hand.

A request is answered whole. The same answer again, and one that no longer fits, is never refused:
it changes nothing, or is kept for a person to look into.
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
    """The gateway has set the amount aside."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record capture", permission=ANSWER)
class RecordCapture(Command):
    """The gateway has taken the money."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record void", permission=ANSWER)
class RecordVoid(Command):
    """The gateway has let go of what was authorised."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record refund", permission=ANSWER)
class RecordRefund(Command):
    """The gateway has given the money back."""

    payment_id: PaymentId
    request_no: RequestNo
    reference: Reference


@command(label="Record decline", permission=ANSWER)
class RecordDecline(Command):
    """The gateway said no to what it was asked for."""

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
    """A dispute is settled: won, and the money is the shop's again, or lost."""

    payment_id: PaymentId
    reference: Reference
    outcome: Annotated[DisputeOutcome, Meta(title="Outcome")]
