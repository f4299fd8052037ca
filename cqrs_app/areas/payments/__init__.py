"""Payments: authorised, captured, voided, refunded through a gateway, or recorded by hand."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.areas.payments import events
from cqrs_app.areas.payments.commands import AuthorisePayment, RecordPayment
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.projections.ledger import LedgerProjection
from cqrs_app.areas.payments.projections.payments import PaymentsProjection
from cqrs_app.areas.payments.projections.timeline import PaymentTimelineProjection
from cqrs_app.areas.payments.queries import ledger, lists, one_payment
from cqrs_app.areas.payments.tasks import PaymentRequests
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.kernel import Area, BackgroundTask, from_state, projected


def payments_area(
    gateway: str = MANUAL, tasks: Sequence[BackgroundTask] = (), *, references_unique: bool = True
) -> Area:
    """The area. New payments are authorised at the gateway of this name. `references_unique`: no
    two payments are recorded with the same reference.
    """
    return Area(
        name="payments",
        aggregates=[Payment],
        settings={
            AuthorisePayment: {"gateway": gateway},
            RecordPayment: {"references_unique": references_unique},
        },
        events=events,
        projections=[PaymentsProjection(), PaymentTimelineProjection(), LedgerProjection()],
        subscriptions=[PaymentRequests()],
        tasks=tasks,
        answers={
            lists.ListPayments: projected(lists.list_payments),
            lists.CountPaymentViews: projected(lists.count_payment_views),
            lists.OrderPayments: projected(lists.order_payments),
            ledger.ListLedger: projected(ledger.list_ledger),
            ledger.LedgerBalance: projected(ledger.ledger_balance),
            one_payment.PaymentTimeline: projected(
                one_payment.timeline, aggregate=Payment, strong=one_payment.fold_timeline
            ),
            one_payment.GatewayRequests: projected(one_payment.gateway_requests_of),
            one_payment.GetPayment: from_state(Payment, one_payment.get_payment),
        },
    )
