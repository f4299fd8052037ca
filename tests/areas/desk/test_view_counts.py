"""How many orders views have: from the sums, or counted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, event

from cqrs_app.areas.desk.queries import view_counts
from cqrs_app.areas.desk.queries.filters import OrderFilters
from cqrs_app.areas.desk.queries.order_list import ListOrders, list_orders
from cqrs_app.areas.desk.queries.view_counts import CountViews, ViewCount, count_views
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.words import HoldReason, OrderStatus
from cqrs_app.areas.types import IMPORTER
from tests.areas.desk.history import START, History, project
from tests.areas.desk.test_figures import TEN, place

STAGE = OrderStage
FILTERS = (
    OrderFilters(),
    OrderFilters(stage=(STAGE.NEEDS_APPROVAL,)),
    OrderFilters(stage=(STAGE.NEEDS_APPROVAL, STAGE.ON_HOLD)),
    OrderFilters(status=(OrderStatus.PLACED,), currency="GBP"),
    OrderFilters(currency="EUR"),
    OrderFilters(imported=False),
    OrderFilters(imported=True),
    OrderFilters(stage=(STAGE.DELIVERED,)),
    OrderFilters(tag="gift"),
    OrderFilters(stage=(STAGE.ON_HOLD,), tag="gift"),
    OrderFilters(min_total=Decimal("10.01")),
    OrderFilters(placed_from=START.date() + timedelta(days=2)),
    OrderFilters(q="nobody"),
)


@pytest.fixture
def shop(connection: Connection) -> Connection:
    history = History()
    history.run(place("1", TEN), operator=IMPORTER, history=True)
    for days, number in enumerate(("2", "3", "4"), 1):
        history.run(place(number, TEN), START + timedelta(days=days))
    later = START + timedelta(days=4)
    history.run(do.HoldOrder(order_id="4", reason=HoldReason.OTHER), later)
    history.run(do.AddOrderTag(order_id="4", tag="gift"), later)
    project(connection, history.recorded)
    return connection


def test_a_view_has_as_many_orders_as_its_list(shop: Connection) -> None:
    counts = count_views(CountViews(views=FILTERS), shop)
    for filters, count in zip(FILTERS, counts, strict=True):
        given = {name: getattr(filters, name) for name in filters.__dataclass_fields__}
        listed = list_orders(ListOrders(**given), shop).rows
        assert count.orders == len(listed), filters
        assert not count.more


def test_the_age_is_that_of_the_first_order_that_is_not_from_an_import(shop: Connection) -> None:
    counts = count_views(CountViews(views=FILTERS), shop)
    days = [each.oldest and (each.oldest - START.date()).days for each in counts]
    assert days == [1, 1, 1, 1, None, 1, None, None, 3, 3, None, 2, None]


def test_counting_stops_at_a_bound(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_counts, "COUNTED_TO", 2)
    views = (OrderFilters(max_total=Decimal(100)), OrderFilters())
    assert count_views(CountViews(views=views), shop) == (
        ViewCount(2, None, more=True),
        ViewCount(4, START.date() + timedelta(days=1)),
    )


def test_what_the_projection_keeps_is_read_once_for_all_views(shop: Connection) -> None:
    sent: list[str] = []
    event.listen(shop, "before_cursor_execute", lambda *given: sent.append(given[2]))
    count_views(CountViews(views=FILTERS[:8]), shop)
    assert len(sent) == 1
    assert "order_days" in sent[0]
