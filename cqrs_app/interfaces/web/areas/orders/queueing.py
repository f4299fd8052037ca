"""Queue mode: the orders of a list are opened one by one, each claimed by one operator. A page is
in queue mode if its address says so; it names the list as `neighbours.py` does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import flash, g, request, url_for

from cqrs_app.areas.assignments.commands import WORK, SkipOrder, TakeOverOrder
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.queries.order_list import ListOrders, OrderRow
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    AddOrderTag,
    AttachFile,
    RemoveAttachment,
    RemoveOrderTag,
)
from cqrs_app.interfaces.web.areas.area import FROM
from cqrs_app.interfaces.web.areas.orders.filters import PLACE, Address
from cqrs_app.interfaces.web.areas.orders.neighbours import LIST, mark_of
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, may_act
from cqrs_app.interfaces.web.delayed import DelayedAction, delayed_actions
from cqrs_app.interfaces.web.pending_badges import Badges, badges_of
from cqrs_app.kernel import COUNTED_TO
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.services import services

QUEUE = "queue"
"""The parameter of a page in queue mode."""
PREVIOUS = "previous"
"""The parameter with the order that was worked on before."""
NONE_LEFT = "Nothing is left in this list: the other orders are claimed, or you skipped them today."
LOOKED_AT = 200
"""Orders of the list that are looked at together."""
STAYING = (
    AddOrderNote,
    AddOrderTag,
    RemoveOrderTag,
    AttachFile,
    RemoveAttachment,
    TakeOverOrder,
)
"""Commands after which the operator stays on the order."""


@dataclass(frozen=True, slots=True)
class QueueBar:
    """What a page in queue mode shows of the queue. `left` are the orders that are left, the
    present one included, `more` whether there are more than were counted."""

    query: str
    list_url: str
    left: int
    more: bool
    mean_seconds: float | None
    handled: int
    after_action: str
    previous: str
    previous_url: str
    undo: DelayedAction | None


def next_order(address: Address, current: str = "") -> str:
    """Claim the next order of the list that nobody works on, behind the `current` one and then
    from the top; empty if none is left."""
    operator = g.operator.name
    passed = services.runs.skipped(operator) | {current}
    first = address.without(*PLACE, "limit").question(ListOrders, limit=LOOKED_AT)
    here = ask(GetOrder(order_id=current)).value if current else None
    for after in [*([mark_of(first, here)] if here else []), ""]:
        for row, freshness in _free_rows(replace(first, after=after), passed):
            if services.claims.claim_free(row.order_id, operator):
                if _is_as_shown(row, freshness):
                    return row.order_id
                services.claims.release(row.order_id, operator)
    return ""


def _free_rows(
    question: ListOrders, passed: Collection[str]
) -> Iterator[tuple[OrderRow, Freshness]]:
    while True:
        answer = ask(question)
        page = answer.value
        held = services.claims.held([row.order_id for row in page.rows])
        for row in page.rows:
            if row.order_id not in passed and row.order_id not in held:
                yield row, answer.freshness
        if page.next is None:
            return
        question = replace(question, after=page.next)


def _is_as_shown(row: OrderRow, freshness: Freshness) -> bool:
    """Whether nobody has changed the order since its row was made, or is about to. Asked once it is
    claimed: whoever had it before had changed it by then."""
    badges = badges_of("order", {row.order_id: row.applied_version}, freshness)
    return badges[row.order_id] == Badges()


def order_url(order_id: str, query: str, previous: str = "") -> str:
    """The order's page in queue mode."""
    given = {LIST: query, PREVIOUS: previous, QUEUE: "1"}
    kept: dict[str, Any] = {name: text for name, text in given.items() if text}
    return url_for("web.order", order_id=order_id, **kept)


def after_action(command: Command) -> str:
    """Where the operator goes after an action in queue mode; empty to stay."""
    order_id: str = getattr(command, "order_id", "")
    origin = urlsplit(request.args.get(FROM, ""))
    given = parse_qs(origin.query)
    in_queue = QUEUE in given and origin.path == url_for("web.order", order_id=order_id)
    if not in_queue or isinstance(command, STAYING):
        return ""
    choice = g.operator.preferences.after_action
    if choice == "stay" and not isinstance(command, SkipOrder):
        return ""
    address = Address.from_query(given.get(LIST, [""])[0])
    finish(order_id, handled=not isinstance(command, SkipOrder))
    return address.url() if choice == "close" else next_url(address, order_id)


def finish(order_id: str, *, handled: bool) -> None:
    """The operator is done with the order: others may have it."""
    operator = g.operator.name
    held = services.claims.held([order_id]).get(order_id)
    if held and held.operator == operator:
        if handled:
            services.runs.count(operator, held.claimed_at)
        services.claims.release(order_id, operator)


def next_url(address: Address, current: str = "") -> str:
    """The next order's page; the list if none is left."""
    found = next_order(address, current)
    if found:
        return order_url(found, address.query(), current)
    flash(NONE_LEFT, "info")
    return address.url()


def claim_in_queue(order_id: str) -> None:
    """A page in queue mode claims its order, unless somebody else has it."""
    if QUEUE in request.args and may_act(WORK):
        with suppress(*NO_ANSWER):
            services.claims.claim(order_id, g.operator.name)


def queue_bar(order_id: str) -> QueueBar | None:
    """None where the page is not in queue mode, or the list cannot be read."""
    if QUEUE not in request.args or not may_act(WORK):
        return None
    query, previous = request.args.get(LIST, ""), request.args.get(PREVIOUS, "")
    address = Address.from_query(query)
    try:
        left, more = _left(address, order_id)
        run = services.runs.of(g.operator.name)
        delayed = delayed_actions(f"order-{previous}") if previous else []
    except NO_ANSWER:
        return None
    return QueueBar(
        query=query,
        list_url=address.url(),
        left=left,
        more=more,
        mean_seconds=run.mean_seconds if run else None,
        handled=run.handled if run else 0,
        after_action=g.operator.preferences.after_action,
        previous=previous,
        previous_url=order_url(previous, query) if previous else "",
        undo=next((each for each in delayed if each.may_undo and not each.sentence), None),
    )


def _left(address: Address, current: str) -> tuple[int, bool]:
    """How many orders are left for the operator, the current one included, and whether there are
    more. Beyond the first page, all are taken to be free."""
    question = address.without(*PLACE, "limit").question(ListOrders, limit=LOOKED_AT, count=True)
    page = ask(question).value
    ids = [row.order_id for row in page.rows]
    gone = services.runs.skipped(g.operator.name) | services.claims.held(ids).keys()
    total = page.total or len(ids)
    return total - len(gone.intersection(ids) - {current}), total > COUNTED_TO
