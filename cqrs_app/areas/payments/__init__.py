"""Payments: authorised, captured, voided, refunded through a gateway, or recorded by hand."""

from __future__ import annotations

from collections.abc import Iterator

from cqrs_app.areas.payments import answering, answers, commands
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.projections.ledger import LedgerProjection
from cqrs_app.areas.payments.projections.payments import PaymentsProjection
from cqrs_app.areas.payments.projections.timeline import LABELS, PaymentTimelineProjection
from cqrs_app.areas.payments.queries import ledger, lists, one_payment
from cqrs_app.areas.payments.refusals import REFUSALS
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.registry import Area, FromState, Strong

EVENTS = tuple(LABELS)


def payments_area(gateway: str = MANUAL) -> Area:
    """The area; new payments are authorised at this gateway, by its name."""

    def authorise(payment: Payment, command: commands.AuthorisePayment) -> Iterator[Event]:
        return payment.authorise(command, gateway)

    return Area(
        name="payments",
        handles={
            Payment: {
                commands.AuthorisePayment: authorise,
                commands.CapturePayment: Payment.capture,
                commands.VoidPayment: Payment.void,
                commands.RefundPayment: Payment.refund,
                commands.RecordPayment: Payment.record,
                commands.ClearFlaggedAnswers: Payment.clear,
                answers.RecordAuthorisation: answering.authorised,
                answers.RecordCapture: answering.captured,
                answers.RecordVoid: answering.voided,
                answers.RecordRefund: answering.refunded,
                answers.RecordDecline: answering.declined,
                answers.RecordDispute: answering.disputed,
                answers.ResolveDispute: answering.resolved,
            }
        },
        refusals=REFUSALS,
        events=EVENTS,
        projections=[PaymentsProjection(), PaymentTimelineProjection(), LedgerProjection()],
        answers={
            lists.ListPayments: lists.list_payments,
            lists.OrderPayments: lists.order_payments,
            ledger.ListLedger: ledger.list_ledger,
            ledger.LedgerBalance: ledger.ledger_balance,
            one_payment.PaymentTimeline: one_payment.timeline,
            one_payment.GatewayRequests: one_payment.gateway_requests_of,
        },
        answers_strongly={
            one_payment.PaymentTimeline: Strong(one_payment.stream_of, one_payment.fold_timeline),
        },
        answers_from_state={
            one_payment.GetPayment: FromState(
                Payment, lambda question: question.payment_id, one_payment.get_payment
            ),
        },
    )
