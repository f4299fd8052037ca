"""Payments: the list, one with its requests and its history, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.payments.commands import AuthorisePayment, RecordPayment
from cqrs_app.areas.payments.queries.ledger import LedgerBalance, ListLedger
from cqrs_app.areas.payments.queries.lists import ListPayments
from cqrs_app.areas.payments.queries.one_payment import (
    GatewayRequests,
    GetPayment,
    PaymentTimeline,
    PaymentView,
)
from cqrs_app.areas.payments.words import Asked, PaymentStatus
from cqrs_app.interfaces.web.areas.area import Finder, Hit, Place, WebArea, free_number
from cqrs_app.interfaces.web.areas.finding import same_number
from cqrs_app.interfaces.web.ask import ask, ask_or_none, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.awaiting import awaiting_approval, without_requested
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.list_page import ListPage
from cqrs_app.interfaces.web.listing import asked_here, chips, turning
from cqrs_app.interfaces.web.pending_badges import is_queued
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.tasks import allowed_tasks, offered
from cqrs_app.kernel.commands.actions import Action
from cqrs_app.services import services

HIGHEST_FIRST = {"payment_id": False, "amount": True, "started_at": True}
FILTERS = {"q": "Search", "show": "Show", "order_id": "Order", "status": "Status"}
SHOWN = {
    "all": "All payments",
    "unsettled": "Unsettled",
    "disputed": "Disputed",
    "flagged": "Needs attention",
}
WORDS = {"show": SHOWN, "status": {each.value: each.label for each in PaymentStatus}}
LEDGER_FILTERS = {"account": "Account", "payment_id": "Payment"}
ACCOUNTS = {
    "customers": "Customers",
    "provider": "Held by the gateway",
    "bank": "Bank and till",
    "disputed": "In dispute",
    "lost": "Lost in disputes",
}
ANSWERS = {
    Asked.AUTHORISATION: "RecordAuthorisation",
    Asked.CAPTURE: "RecordCapture",
    Asked.VOID: "RecordVoid",
    Asked.REFUND: "RecordRefund",
}


LIST = ListPage(
    name="payments",
    query=ListPayments,
    title="Payments",
    one="payment",
    many="payments",
    search="Payment or order number",
    filters=FILTERS,
    words=WORDS,
    highest_first=HIGHEST_FIRST,
)


@bp.get("/payments")
def payments() -> ResponseReturnValue:
    """One page of the payments that match."""
    return render_template(
        "payments/payments.html",
        may_authorise=may_act("payments.authorise"),
        may_record=may_act("payments.record"),
        **LIST.shown(),
    )


@bp.get("/ledger")
def ledger() -> ResponseReturnValue:
    """The balance of each account, and one page of the entries that match."""
    question = asked_here(ListLedger)
    answer = ask(question)
    balance = ask(LedgerBalance())
    return render_template(
        "payments/ledger.html",
        page=answer.value,
        freshness=answer.freshness,
        question=question,
        balances=balance.value,
        balance_freshness=balance.freshness,
        accounts=ACCOUNTS,
        chips=chips("web.ledger", LEDGER_FILTERS, {"account": ACCOUNTS}),
        **turning("web.ledger", answer.value, question.limit),
    )


@bp.get("/payments/<payment_id>")
def payment(payment_id: str) -> ResponseReturnValue:
    """One payment."""
    return render_template("payments/payment.html", **_shown(payment_id))


@bp.get("/payments/<payment_id>/now")
@background
def payment_now(payment_id: str) -> ResponseReturnValue:
    """The payment's content again, for the page that shows it."""
    return fragment(render_template("payments/_payment.html", **_shown(payment_id)))


def _shown(payment_id: str) -> dict[str, Any]:
    missing = f"There is no payment {payment_id}."
    answer = ask(query_or_404(GetPayment, missing, payment_id=payment_id))
    found: PaymentView | None = answer.value
    if found is None and not is_queued(f"payment-{payment_id}"):
        abort(404, missing)
    line = PaymentTimeline(payment_id=payment_id)
    timeline = ask_or_none(line)
    if timeline is None or not timeline.value:
        # No projection holds it yet, or the read store is down: it is folded from its events.
        timeline = ask(line, strong=True)
    requested = ask(GatewayRequests(payment_id=payment_id)).value
    stream = f"payment-{payment_id}"
    requests = awaiting_approval([stream])
    actions = [
        Action(each.command, each.label, allowed=each.allowed, reason=each.reason)
        for each in (found.offers if found else ())
    ]
    allowed, not_now = allowed_tasks(without_requested(actions, requests, stream))
    return {
        "payment_id": payment_id,
        "payment": found,
        "requests": requests,
        "freshness": answer.freshness,
        "tries": {each.request_no: each for each in requested},
        "timeline": timeline.value[::-1],
        "timeline_freshness": timeline.freshness,
        "tasks": allowed + offered(["ClearFlaggedAnswers"] if found and found.flagged else []),
        "not_now": not_now,
        "answers": _answers(found) if found and may_act("payments.answer") else {},
        "may_see_commands": may("commands.view"),
        "may_see_events": may("events.view"),
    }


def _answers(payment: PaymentView) -> dict[int, str]:
    """Open requests with the action that records approval by hand."""
    return {
        each.request_no: ANSWERS[Asked(each.asked)]
        for each in payment.requests
        if each.outcome == "open"
    }


def _find(text: str, most: int) -> Iterator[Hit]:
    formats = formats_of(services.settings.locale)
    for row in ask(ListPayments(q=text, limit=most)).value.rows:
        details = (
            f"Order {row.order_id}",
            row.status.label,
            formats.money(row.amount, row.currency),
        )
        yield Hit(
            row.payment_id,
            url_for("web.payment", payment_id=row.payment_id),
            details,
            same_number(text, row.payment_id),
        )


PAYMENTS = WebArea(
    places={"payment": Place("payments", "web.payments", "web.payment")},
    suggestions={
        AuthorisePayment: free_number("payment_id", "P"),
        RecordPayment: free_number("payment_id", "P"),
    },
    finders=(Finder("Payments", "receipt", "payments.view", _find, all="web.payments"),),
    starts=(RecordPayment,),
)
