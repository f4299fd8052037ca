"""One order: its stage, actions, lines and timeline."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.assignments.commands import ASSIGN, WORK
from cqrs_app.areas.customers.queries import GetCustomerProfile
from cqrs_app.areas.desk.queries.customers import GetCustomer
from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.fulfilment.queries import GetFulfilment
from cqrs_app.areas.inventory.commands import VIEW as SEE_PRODUCTS
from cqrs_app.areas.inventory.queries.one_product import StockOfOrder
from cqrs_app.areas.orders.commands import ATTACH, REMOVE_ATTACHMENT
from cqrs_app.areas.orders.queries import OrderActions
from cqrs_app.areas.payments.queries.lists import OrderPayments
from cqrs_app.interfaces.web.areas.fulfilment import tasks_of
from cqrs_app.interfaces.web.areas.orders.neighbours import LIST, neighbours
from cqrs_app.interfaces.web.areas.orders.next_step import placed
from cqrs_app.interfaces.web.areas.orders.printing import PAPERS
from cqrs_app.interfaces.web.areas.orders.queueing import QUEUE, claim_in_queue, queue_bar
from cqrs_app.interfaces.web.areas.orders.returns import proposed_refunds
from cqrs_app.interfaces.web.areas.orders.timeline import NAMES, question_of, timeline_panel
from cqrs_app.interfaces.web.areas.product_lookups import products_of
from cqrs_app.interfaces.web.ask import (
    NO_ANSWER,
    ask,
    ask_if_allowed,
    may,
    may_act,
    query_or_404,
    wants,
)
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.awaiting import awaiting_approval, without_requested
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.delayed import delayed_actions
from cqrs_app.interfaces.web.pending_badges import Badges, PendingBadge, badges_of
from cqrs_app.interfaces.web.polling import fragment, poll_every
from cqrs_app.interfaces.web.tasks import allowed_tasks
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.context import Answer
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.platform.queue.claims import Attention
from cqrs_app.platform.runtime.pending import RawEvents
from cqrs_app.platform.transfer.attachments.queries import OrderAttachments
from cqrs_app.services import services

FIRST_LINES = 200
"""How many lines of a long order are shown at first."""


@bp.get("/orders/<order_id>")
def order(order_id: str) -> ResponseReturnValue:
    """The order's page; htmx gets the requested part of it."""
    if wants("order-events"):
        return render_template("orders/_events.html", order_id=order_id, events=_events(order_id))
    query_or_404(GetOrder, f"There is no order {order_id}.", order_id=order_id)
    claim_in_queue(order_id)
    shown = _shown_or_404(order_id, request.args)
    if wants("order"):
        return render_template("orders/_order.html", **shown)
    with_events = shown["may_see_events"] and "events" in request.args
    return render_template(
        "orders/order.html",
        **shown,
        events=_events(order_id) if with_events else None,
        papers=PAPERS,
        queue=queue_bar(order_id) if shown["order"] else None,
        **(neighbours(shown["order"]) if shown["order"] else {"list_url": url_for("web.orders")}),
    )


@bp.get("/orders/<order_id>/now")
@background
def order_now(order_id: str) -> ResponseReturnValue:
    """The order's content again, for the page that shows it."""
    return fragment(render_template("orders/_order.html", **_shown_or_404(order_id, request.args)))


def _shown_or_404(order_id: str, args: Mapping[str, str]) -> dict[str, Any]:
    shown = _shown(order_id, args)
    if shown["order"] is None and not shown["badges"].pending:
        abort(404, f"There is no order {order_id}.")
    return shown


def order_fragment(order_id: str) -> str:
    """The order's content after a task, in the place of what the page shows."""
    address = urlsplit(request.headers.get("HX-Current-URL", ""))
    return render_template("orders/_order.html", **_shown(order_id, dict(parse_qsl(address.query))))


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an order. Without `read_store` it was folded from the events; `empty` is the
    freshness of the projections if only they lack the order. `version` is that of its timeline."""

    answer: Answer[Any]
    empty: Freshness | None
    timeline: dict[str, Any]
    version: Answer[int]
    read_store: bool


def _known(order_id: str, args: Mapping[str, str], more_args: Mapping[str, str]) -> _Known:
    question = query_or_404(GetOrder, f"There is no order {order_id}.", order_id=order_id)
    entries = question_of(order_id, args)
    try:
        answer, empty = _found(question)
        timeline, version = timeline_panel(entries, more_args, strong=False)
    except NO_ANSWER:
        # The events are in the write store.
        answer = ask(question, strong=True)
        timeline, version = timeline_panel(entries, more_args, strong=True)
        return _Known(answer, None, timeline, version, read_store=False)
    return _Known(answer, empty, timeline, version, read_store=True)


def _shown(order_id: str, args: Mapping[str, str]) -> dict[str, Any]:
    all_lines = args.get("lines") == "all"
    more_args = {name: args[name] for name in ("lines", LIST, QUEUE, *NAMES) if args.get(name)}
    known = _known(order_id, args, more_args)
    value, read_store = known.answer.value, known.read_store
    lines = value.lines[: None if all_lines else FIRST_LINES] if value else ()
    actions = ask(OrderActions(order_id=order_id))
    panels, unavailable = _panels(
        order_id, value.customer_id if value else "", read_store=read_store
    )
    badges, freshness = _badges(order_id, known)
    delayed = delayed_actions(f"order-{order_id}")
    waiting = {each.name for each in delayed if not each.sentence}
    ahead = value is not None and known.empty is not None
    follows_soon = (bool(badges.pending) or ahead) and (known.empty or freshness).is_moving
    if waiting and badges.pending and badges.pending.version is None:
        badges = replace(badges, pending=None)  # its notice says so
    return {
        "order_id": order_id,
        "order": value,
        "freshness": known.answer.freshness,
        "lines": lines,
        "all_lines": all_lines,
        "known_skus": products_of(each.sku for each in lines)
        if read_store and may(SEE_PRODUCTS)
        else (),
        **known.timeline,
        **_tasks(order_id, value, actions, panels, waiting),
        "delayed": delayed,
        "badges": badges,
        "attention": _attention(order_id),
        **_rights(),
        "panels": panels,
        "read_store": read_store,
        "unavailable": unavailable,
        "refunds": list(
            proposed_refunds(value, panels["payments"].value.payments)
            if value and panels["payments"]
            else ()
        ),
        "exchanges": ask(ListOrders(exchange_for=order_id)).value.rows
        if read_store and value and value.returns
        else (),
        "ahead": ahead,
        "follows_soon": follows_soon,
        "poll_every": poll_every(
            _moving_since(value, badges.pending, panels["fulfilment"], follows_soon=follows_soon),
            "5s" if not value or len(value.lines) <= FIRST_LINES or not all_lines else "30s",
        ),
        "more_args": more_args,
    }


def _badges(order_id: str, known: _Known) -> tuple[Badges, Freshness]:
    """With the freshness they are judged by. A change is pending until the order and its timeline
    both include it."""
    order, version = known.answer, known.version
    held = (
        (order.value.applied_version if order.value else 0, order.freshness),
        (version.value, version.freshness),
    )
    shown, freshness = min(held, key=itemgetter(0))
    return badges_of("order", {order_id: shown}, freshness)[order_id], freshness


def _tasks(
    order_id: str,
    value: OrderView | None,
    actions: Answer[Any],
    panels: Mapping[str, Answer[Any] | None],
    waiting: Set[str],
) -> dict[str, Any]:
    """What can be done with the order, what cannot be now, and what waits for an approval. Tasks in
    `waiting` are delayed and not offered again."""
    stream = f"order-{order_id}"
    payments, fulfilment = panels["payments"], panels["fulfilment"]
    paid = payments.value.payments if payments else ()
    requests = awaiting_approval([stream, *(f"payment-{each.payment_id}" for each in paid)])
    allowed, not_now = allowed_tasks(without_requested(actions.value.actions, requests, stream))
    tasks = tasks_of(fulfilment.value) if fulfilment else []
    return {
        "allowed": [each for each in allowed if each["name"] not in waiting],
        **placed(allowed, waiting, value.stage if value else None, tasks),
        "requests": requests,
        "not_now": not_now,
        "actions_freshness": actions.freshness,
    }


def _rights() -> dict[str, bool]:
    """What the operator may see and do beside the tasks."""
    return {
        "may_assign": may_act(ASSIGN),
        "may_work": may_act(WORK),
        "may_see_commands": may("commands.view"),
        "may_see_events": may("events.view"),
        "may_see_customers": may("customers.view"),
        "may_refund": may_act("payments.refund"),
        "may_attach": may_act(ATTACH),
        "may_remove_attachment": may_act(REMOVE_ATTACHMENT),
        "may_place": may_act("orders.place"),
        "may_record_payments": may_act("payments.record"),
    }


def _attention(order_id: str) -> Attention:
    """Who works on the order, or has it open; nobody while the write store is down."""
    try:
        return services.claims.attend(order_id, g.operator.name)
    except NO_ANSWER:
        return Attention()


def _moving_since(
    order: OrderView | None,
    pending: PendingBadge | None,
    fulfilment: Answer[Any] | None,
    *,
    follows_soon: bool,
) -> datetime | None:
    """Since when something is changing by itself: a pending change, or fulfilment settling stock or
    payment. None if nothing is.
    """
    way = fulfilment and fulfilment.value
    if follows_soon and pending:
        return pending.since
    begins = order is not None and order.stage is OrderStage.PROCESSING and not order.decision
    moves = follows_soon or (way.stage.moves_by_itself if way else begins)
    return order.updated_at if order and moves else None


def _panels(
    order_id: str, customer_id: str, *, read_store: bool
) -> tuple[dict[str, Answer[Any] | None], list[str]]:
    """What other areas say about the order, and the titles of panels that cannot be shown without
    the read store. None for what the operator may not see, and for the customer of a guest's order.
    """
    queries: dict[str, tuple[str, Query]] = {
        "fulfilment": ("Fulfilment", GetFulfilment(order_id=order_id)),
        "payments": ("Payments", OrderPayments(order_id=order_id)),
        "stock": ("Stock", StockOfOrder(order_id=order_id)),
        "attachments": ("Attachments", OrderAttachments(order_id=order_id)),
    }
    if customer_id:
        queries["customer"] = ("Customer", GetCustomerProfile(customer_id=customer_id))
        queries["account"] = ("Customer", GetCustomer(customer_id=customer_id))
    panels: dict[str, Answer[Any] | None] = dict.fromkeys(("customer", "account"))
    unavailable = []
    for name, (title, query) in queries.items():
        if read_store or query.declaration.store == "write":
            panels[name] = ask_if_allowed(query)
        elif may(query.declaration.permission):
            panels[name] = None
            unavailable.append(title)
        else:
            panels[name] = None
    return panels, list(dict.fromkeys(unavailable))


def _found(question: GetOrder) -> tuple[Answer[Any], Freshness | None]:
    """The projected answer. What no projection holds yet is folded from its events, with the
    freshness of the projections that lack it.
    """
    answer = ask(question)
    return (answer, None) if answer.value else (ask(question, strong=True), answer.freshness)


def _events(order_id: str) -> Answer[Any]:
    return ask(RawEvents(stream=f"order-{order_id}"))
