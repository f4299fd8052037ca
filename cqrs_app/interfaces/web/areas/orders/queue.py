"""Working a list one by one, and claims of single orders. Each is a form."""

from __future__ import annotations

from typing import get_args
from urllib.parse import urlsplit

import msgspec
from flask import Response, abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.assignments.commands import WORK
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.interfaces.web.areas.orders.filters import Address
from cqrs_app.interfaces.web.areas.orders.neighbours import LIST
from cqrs_app.interfaces.web.areas.orders.order import order_fragment
from cqrs_app.interfaces.web.areas.orders.order_list import list_fragment
from cqrs_app.interfaces.web.areas.orders.queueing import finish, next_url
from cqrs_app.interfaces.web.ask import ask, is_fragment, may_act, query_or_404
from cqrs_app.interfaces.web.auth import local_path
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.outcome import announcing
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.platform.operators.preferences import AfterAction
from cqrs_app.services import services


@bp.post("/queue")
def queue_start() -> ResponseReturnValue:
    """Open the first free order of a list."""
    _require()
    address = _address()
    services.runs.start(g.operator.name, address.query())
    return redirect(next_url(address), 303)


@bp.post("/queue/next")
def queue_next() -> ResponseReturnValue:
    """Leave the order as it is, and open the next one."""
    _require()
    order_id = _order_of_form()
    finish(order_id, handled=False)
    return redirect(next_url(_address(), order_id), 303)


@bp.post("/queue/close")
def queue_close() -> ResponseReturnValue:
    """Leave the order, and return to the list."""
    _require()
    finish(_order_of_form(), handled=False)
    return redirect(_address().url(), 303)


@bp.post("/queue/after")
def queue_after() -> ResponseReturnValue:
    """Choose what follows an action in the queue."""
    chosen = request.form.get("after_action", "")
    if chosen not in get_args(AfterAction):
        abort(422, "Choose next, stay or close.")
    services.accounts.change_preferences(
        g.operator.name, lambda now: msgspec.structs.replace(now, after_action=chosen)
    )
    if is_fragment():
        return Response(status=204)
    return redirect(local_path(request.form.get("next", "")), 303)


@bp.post("/orders/<order_id>/claim")
def claim(order_id: str) -> ResponseReturnValue:
    """Claim the order."""
    _require()
    _order_or_404(order_id)
    mine = services.claims.claim(order_id, g.operator.name)
    return _shown(order_id, "Order claimed." if mine else "Somebody else has claimed this order.")


@bp.post("/orders/<order_id>/release")
def release(order_id: str) -> ResponseReturnValue:
    """End one's claim of the order."""
    _require()
    _question(order_id)
    services.claims.release(order_id, g.operator.name)
    return _shown(order_id, "Claim released.")


def _require() -> None:
    if not may_act(WORK):
        raise NotAllowed("Work this list", WORK)


def _address() -> Address:
    return Address.from_query(request.form.get(LIST, ""))


def _order_of_form() -> str:
    return _question(request.form.get("order_id", "")).order_id


def _question(order_id: str) -> GetOrder:
    """For the order, if it can have this number."""
    return query_or_404(GetOrder, f"There is no order {order_id}.", order_id=order_id)


def _order_or_404(order_id: str) -> None:
    question = _question(order_id)
    if ask(question).value is None and ask(question, strong=True).value is None:
        abort(404, f"There is no order {order_id}.")


def _shown(order_id: str, sentence: str) -> ResponseReturnValue:
    if is_fragment():
        shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
        in_list = shown == url_for("web.orders")
        return announcing(sentence, list_fragment() if in_list else order_fragment(order_id))
    flash(sentence, "good")
    page = url_for("web.order", order_id=order_id)
    given = local_path(request.form.get("next", ""))
    return redirect(given if given.partition("?")[0] == page else page, 303)
