"""A payment: what people, and the processes that act for them, may do with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.commands import (
    AuthorisePayment,
    CapturePayment,
    ClearFlaggedAnswers,
    RecordPayment,
    RefundPayment,
    VoidPayment,
)
from cqrs_app.areas.payments.gateway_rules import AnsweredPayment
from cqrs_app.areas.payments.requests import is_open
from cqrs_app.areas.payments.rules import (
    MORE_THAN_AUTHORISED,
    MORE_THAN_CAPTURED,
    NOT_FREE,
    NOTHING_FLAGGED,
    NOTHING_TO_CAPTURE,
    NOTHING_TO_REFUND,
    NOTHING_TO_VOID,
    PAYMENT_EXISTS,
    TOO_FINE,
    exists,
    part_of,
    payable,
    to_capture,
    to_refund,
    to_void,
)
from cqrs_app.areas.payments.words import MANUAL, Asked
from cqrs_app.kernel import Event, handles


@dataclass
class Payment(AnsweredPayment):
    """A new one is authorised at the `gateway` that the area is set to."""

    @handles(AuthorisePayment, refusals=[PAYMENT_EXISTS, TOO_FINE])
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

    @handles(RecordPayment, refusals=[PAYMENT_EXISTS, TOO_FINE])
    def record(self, command: RecordPayment) -> Iterator[Event]:
        self._require_new(command.payment_id)
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
        refusals=[*NOT_FREE, NOTHING_TO_CAPTURE, MORE_THAN_AUTHORISED, TOO_FINE],
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

    @handles(ClearFlaggedAnswers, when=exists, refusals=[NOTHING_FLAGGED])
    def clear(self, command: ClearFlaggedAnswers) -> Iterator[Event]:
        if not self.flags:
            raise NOTHING_FLAGGED("No answer waits to be cleared up. Nothing was changed.")
        yield was.FlaggedAnswersCleared(
            payment_id=self.payment_id, order_id=self.order_id, note=command.note
        )

    def _require_new(self, payment_id: str) -> None:
        if self.started_at is not None:
            raise PAYMENT_EXISTS(
                f"There is a payment {payment_id} already. Nothing was changed. "
                f"Choose another number.",
            )
