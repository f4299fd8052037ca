"""A payment: what people, and the processes that act for them, may do with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.commands import (
    AuthorisePayment,
    CapturePayment,
    ClearFlaggedAnswers,
    MovePayment,
    RecordPayment,
    RefundPayment,
    VoidPayment,
)
from cqrs_app.areas.payments.gateway_rules import AnsweredPayment
from cqrs_app.areas.payments.requests import is_open
from cqrs_app.areas.payments.rules import (
    ANSWER_AWAITED,
    BEYOND_ORDER,
    MISFITS,
    MORE_THAN_AUTHORISED,
    MORE_THAN_CAPTURED,
    NOT_FREE,
    NOT_SETTLED,
    NOTHING_FLAGGED,
    NOTHING_TO_CAPTURE,
    NOTHING_TO_MOVE,
    NOTHING_TO_REFUND,
    NOTHING_TO_VOID,
    PAYMENT_EXISTS,
    REFERENCE_USED,
    SAME_ORDER,
    TOO_FINE,
    exists,
    part_of,
    payable,
    to_capture,
    to_move,
    to_refund,
    to_void,
)
from cqrs_app.areas.payments.words import MANUAL, Asked
from cqrs_app.kernel import Claim, Command, Decision, Event, Refused, handles


@dataclass
class Payment(AnsweredPayment):
    """A new payment is authorised at the area's `gateway`."""

    @handles(AuthorisePayment, refusals=[PAYMENT_EXISTS, TOO_FINE, *MISFITS])
    def authorise(self, command: AuthorisePayment, *, gateway: str) -> Iterator[Event]:
        self._require_new(command.payment_id)
        yield was.PaymentAuthorisationRequested(
            payment_id=command.payment_id,
            order_id=command.order_id,
            request_no=1,
            amount=payable(command.amount, command.currency),
            currency=command.currency,
            method=command.method,
            gateway=gateway,
        )

    @handles(RecordPayment, refusals=[PAYMENT_EXISTS, TOO_FINE, REFERENCE_USED, *MISFITS])
    def record(self, command: RecordPayment, *, references_unique: bool) -> Decision:
        self._require_new(command.payment_id)
        if references_unique:
            yield _claimed(command.reference)
        yield was.PaymentRecorded(
            payment_id=command.payment_id,
            order_id=command.order_id,
            amount=payable(command.amount, command.currency),
            currency=command.currency,
            gateway=MANUAL,
            method=command.method,
            reference=command.reference,
            note=command.note,
        )

    @handles(
        CapturePayment,
        when=exists,
        refusals=[
            *NOT_FREE,
            NOTHING_TO_CAPTURE,
            MORE_THAN_AUTHORISED,
            TOO_FINE,
            BEYOND_ORDER,
        ],
    )
    def capture(self, command: CapturePayment) -> Iterator[Event]:
        amount = part_of(to_capture(self), command.amount, MORE_THAN_AUTHORISED, self.currency)
        yield was.PaymentCaptureRequested(**self.asking(amount))

    @handles(VoidPayment, when=exists, refusals=[*NOT_FREE, NOTHING_TO_VOID])
    def void(self, command: VoidPayment) -> Iterator[Event]:
        amount = to_void(self)
        if is_open(self.requests, Asked.AUTHORISATION):
            yield was.PaymentVoidPlanned(
                payment_id=self.payment_id, order_id=self.order_id, reason=command.reason
            )
        else:
            yield was.PaymentVoidRequested(**self.asking(amount), reason=command.reason)

    @handles(RefundPayment, when=exists, refusals=[NOTHING_TO_REFUND, MORE_THAN_CAPTURED, TOO_FINE])
    def refund(self, command: RefundPayment) -> Iterator[Event]:
        amount = part_of(to_refund(self), command.amount, MORE_THAN_CAPTURED, self.currency)
        yield was.PaymentRefundRequested(**self.asking(amount), reason=command.reason)

    @handles(
        MovePayment,
        when=exists,
        refusals=[ANSWER_AWAITED, NOTHING_TO_MOVE, NOT_SETTLED, SAME_ORDER, *MISFITS],
    )
    def move(self, command: MovePayment) -> Iterator[Event]:
        amount = to_move(self)
        if command.order_id == self.order_id:
            raise SAME_ORDER.because(
                f"Payment {self.payment_id} belongs to order {self.order_id} already."
            )
        yield was.PaymentMoved(
            payment_id=self.payment_id,
            order_id=command.order_id,
            from_order_id=self.order_id,
            amount=amount,
            currency=self.currency,
            gateway=self.gateway,
            reason=command.reason,
        )

    @handles(ClearFlaggedAnswers, when=exists, refusals=[NOTHING_FLAGGED])
    def clear(self, command: ClearFlaggedAnswers) -> Iterator[Event]:
        if not self.flags:
            raise NOTHING_FLAGGED.because("Nothing is flagged.")
        yield was.FlaggedAnswersCleared(
            payment_id=self.payment_id, order_id=self.order_id, note=command.note
        )

    def flag(self, objection: Refused, command: Command) -> Event:
        """A payment that does not fit its order and is accepted nevertheless."""
        if objection.code not in {each.code for each in MISFITS}:
            raise objection
        return was.PaymentFlagged(
            payment_id=self.payment_id,
            order_id=self.order_id,
            code=objection.code,
            sentence=objection.why,
        )

    def _require_new(self, payment_id: str) -> None:
        if self.started_at is not None:
            raise PAYMENT_EXISTS.because(
                f"There is a payment {payment_id} already.", "Choose another number."
            )


def _claimed(reference: str) -> Claim:
    """The same payment is not recorded twice, however its reference is spelled."""
    taken = REFERENCE_USED.because(
        "Another payment was recorded with this reference.",
        "If this is other money, add to the reference what tells them apart.",
    )
    return Claim("payment_reference", "".join(reference.casefold().split()), taken)
