"""Orders: their list, one of them, credit notes and reports, and what Home shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from flask import request, url_for

from cqrs_app.areas.desk.queries.carriers import RecentCarriers
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.orders.commands import (
    CancelReturn,
    ChangeOrderLines,
    ChangeShippingAddress,
    PlaceOrder,
    ReceiveReturn,
    RecordCreditNote,
    RemoveAttachment,
    RequestReturn,
    ShipOrder,
)
from cqrs_app.interfaces.web.areas.area import Place, WebArea, free_number
from cqrs_app.interfaces.web.areas.order_summary import order_given, order_summary
from cqrs_app.interfaces.web.areas.orders import (  # noqa: F401 - pages
    attachments,
    find,
    home,
    order,
    order_at,
    order_list,
    queue,
    queueing,
    reports,
)
from cqrs_app.interfaces.web.areas.orders.changed_lines import (
    ChangedLines,
    adjustments_of_order,
    lines_to_change,
    present_adjustments,
)
from cqrs_app.interfaces.web.areas.orders.line_quantities import (
    line_quantities,
    still_to_ship,
)
from cqrs_app.interfaces.web.areas.orders.returns import (
    exchange_of,
    first_open_return,
    requested,
    returnable,
)
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask
from cqrs_app.interfaces.web.forms_derived import with_options


def _present_address(given: Mapping[str, str]) -> dict[str, Any]:
    found = order_given(given)
    return {"address": asdict(found.shipping_address)} if found else {}


def _new_order(given: Mapping[str, str]) -> dict[str, Any]:
    """A free number, and the currency of the newest order; or what is exchanged of an order."""
    exchanged = order_given({"order_id": request.args.get("exchange_of", "")})
    if exchanged:
        return free_number("order_id", "W")(given) | exchange_of(exchanged)
    newest = ask(ListOrders(limit=1)).value.rows
    currency = {"currency": newest[0].currency} if newest else {}
    return free_number("order_id", "W")(given) | currency


def _carriers() -> tuple[str, ...]:
    """None while the read store is down: a carrier can still be typed."""
    with suppress(*NO_ANSWER):
        found: tuple[str, ...] = ask(RecentCarriers()).value
        return found
    return ()


def _page_of_customer(command: RecordCreditNote) -> str:
    if not command.customer_id:
        return ""
    return url_for("web.customer", customer_id=command.customer_id)


ORDERS = WebArea(
    places={
        "order": Place(
            "orders",
            "web.orders",
            "web.order",
            fragment=order.order_fragment,
            summary=order_summary,
            list_fragment=order_list.list_fragment,
            after=queueing.after_action,
        ),
        "credit_note": Place("customers", "web.credit_notes", after=_page_of_customer),
    },
    suggestions={
        ChangeOrderLines: present_adjustments,
        ChangeShippingAddress: _present_address,
        PlaceOrder: _new_order,
        ReceiveReturn: first_open_return,
        CancelReturn: first_open_return,
        RecordCreditNote: free_number("credit_note_id", "CN"),
    },
    summaries={RemoveAttachment: attachments.attachment_summary},
    finders=(find.ORDERS,),
    starts=(PlaceOrder, RecordCreditNote),
    batched=order_list.BATCHED,
    form_fields={
        (ShipOrder, "carrier"): with_options("carrier", _carriers),
        (ChangeOrderLines, "lines"): line_quantities(
            "lines", lines_to_change, most="Shipped", shown_as=ChangedLines
        ),
        (ChangeOrderLines, "adjustments"): adjustments_of_order,
        (RequestReturn, "lines"): line_quantities("lines", returnable, most="Returnable"),
        (ReceiveReturn, "lines"): line_quantities("lines", requested, most="Requested"),
        (ShipOrder, "lines"): line_quantities("lines", still_to_ship, most="Remaining"),
    },
    home_panels={"waiting": home.waiting, "today": home.today, "trends": home.trends},
)
