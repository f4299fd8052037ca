"""One payment now, its timeline, the actions on it, and its open gateway requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from cqrs_app.areas.payments import commands, rules
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.queries.lists import VIEW
from cqrs_app.areas.payments.read_models import payment_timeline
from cqrs_app.areas.payments.requested import Requested, requested_of
from cqrs_app.areas.payments.tables import gateway_requests
from cqrs_app.areas.payments.types import PaymentId
from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.areas.types import WaitsFor
from cqrs_app.kernel import Command, Query, Refused, Rows, query


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """One request to the gateway; `outcome` is open, done or declined."""

    request_no: int
    asked: str
    amount: Decimal
    outcome: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeView:
    """`outcome` is open, won or lost."""

    reference: str
    amount: Decimal
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An action: `left` is the largest possible amount; `reason` says why it is not allowed, where
    it is not.
    """

    command: str
    label: str
    left: Decimal | None
    reason: str

    @property
    def allowed(self) -> bool:
        return self.left is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A whole payment; money in its currency, times in UTC. `flagged` counts answers to review;
    `waits_for` is who has to act.
    """

    payment_id: str
    order_id: str
    gateway: str
    method: str
    currency: str
    amount: Decimal
    status: PaymentStatus
    void_planned: bool
    authorised: Decimal
    captured: Decimal
    refunded: Decimal
    disputed: Decimal
    lost: Decimal
    flagged: int
    waits_for: WaitsFor
    started_at: datetime
    requests: tuple[RequestView, ...]
    disputes: tuple[DisputeView, ...]
    offers: tuple[Offer, ...]
    version: int


@query(label="Payment", permission=VIEW)
class GetPayment(Query):
    """One payment now, with the actions allowed on it; None if there is none."""

    payment_id: PaymentId


def get_payment(question: GetPayment, payment: Payment, version: int) -> PaymentView | None:
    if payment.started_at is None:
        return None
    names = ("order_id", "gateway", "method", "currency", "amount", "status", "void_planned")
    sums = ("authorised", "captured", "refunded", "started_at")
    return PaymentView(
        payment_id=question.payment_id,
        **{name: getattr(payment, name) for name in names + sums},
        disputed=payment.disputed(""),
        lost=payment.disputed("lost"),
        flagged=len(payment.flags),
        waits_for=rules.waits_for(payment),
        requests=tuple(
            RequestView(
                request_no=number,
                asked=str(each.asked),
                amount=each.amount,
                outcome=each.outcome or "open",
                answer=each.answer,
            )
            for number, each in enumerate(payment.requests, start=1)
        ),
        disputes=tuple(
            DisputeView(reference=reference, amount=each.amount, outcome=each.outcome or "open")
            for reference, each in payment.disputes.items()
        ),
        offers=tuple(_offer(payment, command, left) for command, left in _TASKS),
        version=version,
    )


_TASKS: tuple[tuple[type[Command], Callable[[Payment], Decimal]], ...] = (
    (commands.CapturePayment, rules.to_capture),
    (commands.RefundPayment, rules.to_refund),
    (commands.VoidPayment, rules.to_void),
    (commands.MovePayment, rules.to_move),
)


def _offer(payment: Payment, command: type[Command], to_do: Callable[[Payment], Decimal]) -> Offer:
    name, label = command.__name__, command.declaration.label
    try:
        return Offer(command=name, label=label, left=to_do(payment), reason="")
    except Refused as refusal:
        return Offer(command=name, label=label, left=None, reason=refusal.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTimelineEntry:
    """One thing that happened to a payment; `amount` is in `currency` where there is one."""

    version: int
    at: datetime
    operator: str
    type: str
    label: str
    amount: Decimal | None
    currency: str
    text: str
    command_id: str


_LINE = list(PaymentTimelineEntry.__annotations__)


@query(label="Timeline of a payment", permission=VIEW, reads=("payment_timeline",), cached=True)
class PaymentTimeline(Query):
    """The timeline of one payment, oldest first."""

    payment_id: PaymentId


def timeline(question: PaymentTimeline, connection: Connection) -> tuple[PaymentTimelineEntry, ...]:
    columns = payment_timeline.c
    found = (
        select(*(columns[name] for name in _LINE))
        .where(columns.payment_id == question.payment_id)
        .order_by(columns.version)
    )
    return tuple(_line(row) for row in connection.execute(found).mappings())


def fold_timeline(question: PaymentTimeline, rows: Rows) -> tuple[PaymentTimelineEntry, ...]:
    return tuple(_line(row) for row in rows.all(payment_timeline))


@query(label="Requests to the gateway", permission=VIEW, store="write")
class GatewayRequests(Query):
    """The gateway requests of one payment: which are open, how often each was sent, and when it is
    sent again.
    """

    payment_id: PaymentId


def gateway_requests_of(question: GatewayRequests, connection: Connection) -> tuple[Requested, ...]:
    columns = gateway_requests.c
    found = (
        select(gateway_requests)
        .where(columns.payment_id == question.payment_id)
        .order_by(columns.request_no)
        .limit(500)
    )
    return tuple(requested_of(row) for row in connection.execute(found))


def _line(row: Mapping[Any, Any]) -> PaymentTimelineEntry:
    # Rows keep the words of the release that wrote them.
    label = row["label"].replace(" asked for", " requested")
    return PaymentTimelineEntry(**{name: row[name] for name in _LINE} | {"label": label})
