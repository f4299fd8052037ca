"""What was let in against the rules is shown on the order's page and in the list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from cqrs_app.areas.desk.queries.one_order import FlagView, GetOrder, get_order
from cqrs_app.areas.desk.queries.order_list import ListOrders, list_orders
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.words import HoldReason, OrderStatus
from tests.areas.desk.history import START, History, project
from tests.areas.orders.given import line, place


def irregular() -> History:
    history = History()
    for number in ("1", "2"):
        history.run(place(number, line()), START)
    later = START + timedelta(days=1)
    history.run(do.ShipOrder(order_id="1"), later, history=True)
    history.run(do.ApproveOrder(order_id="1"), later, history=True)
    history.run(do.HoldOrder(order_id="2", reason=HoldReason.OTHER), later, history=True)
    return history


def test_flags_stand_on_the_orders_page(connection: Connection) -> None:
    project(connection, irregular().recorded)
    view = get_order(GetOrder(order_id="1"), connection)
    assert view is not None
    assert view.status is OrderStatus.SHIPPED
    assert [(flag.task, flag.code) for flag in view.flags] == [
        ("ShipOrder", "not_approved"),
        ("ApproveOrder", "already_shipped"),
    ]
    assert view.flags[0] == FlagView(
        task="ShipOrder",
        code="not_approved",
        sentence="Order 1 has waited for approval since 1 Dec 2010 at 08:26 UTC; "
        "approve it before you ship it.",
        at=START + timedelta(days=1),
    )


@pytest.mark.parametrize(("flagged", "found"), [(None, ["2", "1"]), (True, ["1"]), (False, ["2"])])
def test_flagged_orders_can_be_listed(
    connection: Connection, flagged: bool | None, found: list[str]
) -> None:
    project(connection, irregular().recorded)
    page = list_orders(ListOrders(flagged=flagged), connection)
    assert [row.order_id for row in page.rows] == found
    assert {row.order_id: row.flags for row in page.rows}.get("1", 2) == 2
