"""The order list: filters, a page of orders, and what has changed since it was shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.assignments.commands import WORK, AssignOrder, UnassignOrder
from cqrs_app.areas.desk.queries.choices import OrderChoices
from cqrs_app.areas.desk.queries.filters import OrderFilters
from cqrs_app.areas.desk.queries.order_list import CountChanges, ListOrders
from cqrs_app.areas.desk.queries.view_counts import CountViews, ViewCount
from cqrs_app.areas.desk.words import NEEDS_ACTION, OrderStage
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    AddOrderTag,
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    HoldOrder,
    RejectOrder,
    ReleaseOrder,
    RemoveOrderTag,
    ShipOrder,
)
from cqrs_app.interfaces.web.areas.orders.filters import PLACE, Address, chips, pager, sorts
from cqrs_app.interfaces.web.areas.orders.printing import MOST_PRINTED, PAPERS
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, may, may_act, wants
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns import shown_columns
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.listing import page_number, page_size
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.interfaces.web.polling import following, poll_every
from cqrs_app.interfaces.web.tasks import offered
from cqrs_app.interfaces.web.typed import ME
from cqrs_app.interfaces.web.views import Count, View, view_tabs
from cqrs_app.kernel import MOST_COUNTS, Command, fold
from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.batches.commands import RUN
from cqrs_app.platform.queue.claims import Held
from cqrs_app.services import kernel, services

CHANGES = "/orders/changes"
ROW_KEYS = ("ApproveOrder", "HoldOrder", "ShipOrder", "AddOrderNote")
"""What a key does on a row: see keys.js."""

BATCHED: tuple[type[Command], ...] = (
    ApproveOrder,
    RejectOrder,
    HoldOrder,
    ReleaseOrder,
    ShipOrder,
    DeliverOrder,
    CancelOrder,
    AddOrderTag,
    RemoveOrderTag,
    AddOrderNote,
    AssignOrder,
    UnassignOrder,
)


BUILT_IN = (
    View("All", {}),
    *(View(each.label, {"stage": (each.value,)}, optional=True) for each in OrderStage),
)
"""Each stage is a view."""


def _counted(views: Sequence[View]) -> list[Count | None]:
    filters = [_filters_of(each) for each in views]
    usable = [each for each in filters if each is not None][:MOST_COUNTS]
    counts = iter(ask(CountViews(views=tuple(usable))).value)
    return [None if each is None else _count(each, next(counts, None)) for each in filters]


def _filters_of(view: View) -> OrderFilters | None:
    """None for a view that was saved by a release with other filters."""
    try:
        given = {name: tuple(texts) for name, texts in view.given.items()}
        return Address(given).filters().parsed(OrderFilters)
    except Invalid:
        return None


def _count(filters: OrderFilters, found: ViewCount | None) -> Count | None:
    """With its age where somebody has to act on the orders."""
    if found is None:
        return None
    waits = filters.stage and set(filters.stage) <= set(NEEDS_ACTION)
    return Count(found.orders, found.more, found.oldest if waits else None)


@bp.get("/orders")
def orders() -> ResponseReturnValue:
    """A page of the list; htmx gets the table alone."""
    address = Address.of(request.args)
    question, shown = _shown(address)
    if wants("orders-table"):
        return render_template("orders/_table.html", **shown)
    return render_template(
        "orders/orders.html",
        **shown,
        question=question,
        chips=chips(address),
        downloads=downloads(ListOrders),
        choices=_choices(address),
        stages=list(OrderStage),
    )


def _choices(address: Address) -> dict[str, list[tuple[str, str]]]:
    """For filters with choices: (value, text) of each that orders have, and of the active one."""
    formats, found = formats_of(services.settings.locale), ask(OrderChoices()).value
    people = services.assignees.all()
    countries = {formats.country(each) for each in found.countries}
    countries |= set(address.given.get("country", ()))
    currencies = {*found.currencies, *address.given.get("currency", ())}
    return {
        "country": [(each, each) for each in sorted(countries, key=fold)],
        "currency": [(each, each) for each in sorted(currencies)],
        "assignee": [(ME, "Me"), *_with_given("assignee", people, address)],
        "team": _with_given("team", {*people.values()} - {""}, address),
    }


def _with_given(name: str, known: Iterable[str], address: Address) -> list[tuple[str, str]]:
    """Those known, and the active one."""
    given = set(address.given.get(name, ())) - {ME}
    return [(each, each) for each in sorted({*known, *given})]


def list_fragment() -> str:
    """The table of the list on screen, after a command."""
    current = urlsplit(request.headers.get("HX-Current-URL", "")).query
    _, shown = _shown(Address.from_query(current))
    return render_template("orders/_table.html", **shown)


def _shown(address: Address) -> tuple[ListOrders, dict[str, Any]]:
    question = address.question(ListOrders, **page_size(ListOrders))
    answer = ask(question)
    page, freshness = answer.value, answer.freshness
    badges = badges_of("order", {row.order_id: row.applied_version for row in page.rows}, freshness)
    pending = [each.pending.since for each in badges.values() if each.pending]
    return question, {
        "page": page,
        "freshness": freshness,
        "badges": badges,
        "follows_every": poll_every(max(pending)) if pending and freshness.is_moving else "",
        "sort": sorts(address, question),
        "pager": pager(address, page.next, page.previous, page_number(page, question.limit)),
        "filtered": bool(address.filters().given),
        "elsewhere": bool(question.after or question.before),
        "first_url": address.without(*PLACE).url(),
        "claims": _claims([row.order_id for row in page.rows]),
        "may_place": may_act("orders.place"),
        "may_work": may_act(WORK),
        "papers": PAPERS,
        "most_printed": MOST_PRINTED,
        "customers_url": _customers_of(question.q),
        "views": view_tabs("orders", address.given, BUILT_IN, _counted),
        "given": address.given,
        "changes": None,
        "on_the_way": freshness.lag_events,
        "changes_url": address.without(*PLACE).url("web.orders_changes", since=freshness.position),
        "show_url": address.url(),
        "columns": shown_columns("orders"),
        "row_form": url_for("web.command_form", name="COMMAND", order_id="NUMBER")
        if kernel.commands.enabled
        else "",
        "at_once": [
            name for name in ROW_KEYS if kernel.registry.command(name).declaration.undoable
        ],
        "batched": offered(each.__name__ for each in BATCHED) if may_act(RUN) else [],
        "filters_query": address.filters().query(),
        "list_args": {"list": address.query()} if address.given else {},
    }


def _claims(order_ids: Collection[str]) -> Mapping[str, Held]:
    try:
        return services.claims.held(order_ids)
    except NO_ANSWER:
        return {}


def _customers_of(written: str) -> str:
    """Orders hold no e-mail address; they are found through the customer who has it."""
    by_email = "@" in written and may("customers.view")
    return url_for("web.customers", q=written) if by_email else ""


@bp.get(CHANGES)
@background
def orders_changes() -> ResponseReturnValue:
    """What has changed among the matching orders since the position `since`."""
    return following(CountChanges, _changes)


def _changes() -> str:
    address = Address.of(request.args)
    since = address.given.get("since", ())
    counted = Address({**address.filters().given, "since": since})
    answer = ask(counted.question(CountChanges))
    return render_template(
        "orders/_changes.html",
        changes=answer.value,
        on_the_way=answer.freshness.lag_events,
        changes_url=address.url("web.orders_changes"),
        show_url=address.without("since").url(),
        views=view_tabs("orders", address.given, BUILT_IN, _counted),
    )
