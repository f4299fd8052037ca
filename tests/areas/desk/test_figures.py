"""The figures of the home page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
import pytest
from sqlalchemy import Connection

from cqrs_app.areas.desk import DESK
from cqrs_app.areas.desk.queries.best import TopCustomers, TopProducts
from cqrs_app.areas.desk.queries.credit_notes import ListCreditNotes
from cqrs_app.areas.desk.queries.customers import GetCustomer, ListCustomers
from cqrs_app.areas.desk.queries.figures import (
    DayFigure,
    Figure,
    Money,
    OrdersByDay,
    OrdersByStage,
    OrdersByStatus,
    StageFigure,
    TodayFigures,
    WaitingByAge,
    orders_by_day,
    orders_by_stage,
    orders_by_status,
    today_figures,
    waiting_by_age,
)
from cqrs_app.areas.desk.queries.order_list import ListOrders, list_orders
from cqrs_app.areas.desk.queries.revenue import LastSalesDay, RevenueReport
from cqrs_app.areas.desk.words import NEEDS_ACTION, OrderStage
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Query
from tests.areas.desk.history import START, History, project
from tests.areas.orders.given import line, place

TEN = line(quantity=4, price="2.5")


@pytest.fixture(scope="module")
def log() -> Sequence[Recorded]:
    history = History()
    for number in range(1, 7):
        currency = "EUR" if number == 6 else "GBP"
        at = START + timedelta(days=number)
        history.run(place(str(number), TEN, currency=currency), at)
    later = START + timedelta(days=7)
    for order_id in ("2", "3", "6"):
        history.run(do.ApproveOrder(order_id=order_id), later)
    history.run(
        do.ShipOrder(order_id="3", lines=(ShippedLine(line_no=1, quantity=1),)),
        later + timedelta(days=1),
    )
    history.run(do.HoldOrder(order_id="4", reason=HoldReason.OTHER), later)
    return history.recorded


def gbp(amount: str) -> Money:
    return Money("GBP", Decimal(amount))


def found(connection: Connection) -> dict[OrderStage, StageFigure]:
    """The stages that have orders."""
    figures = orders_by_stage(OrdersByStage(), connection)
    assert [each.stage for each in figures] == list(OrderStage)
    return {each.stage: each for each in figures if each.orders}


def figure(
    stage: OrderStage,
    waiting: int,
    value: tuple[Money, ...],
    oldest: datetime | None,
    imported: int = 0,
) -> StageFigure:
    return StageFigure(
        stage=stage,
        orders=waiting + imported,
        waiting=waiting,
        waiting_value=value,
        oldest=oldest,
    )


def test_what_waits_and_since_when(shop: Connection) -> None:
    euros = Money("EUR", Decimal(10))
    days = [START + timedelta(days=number) for number in range(5)]
    assert list(found(shop).values()) == [
        figure(OrderStage.NEEDS_APPROVAL, 2, (gbp("20"),), days[1]),
        figure(OrderStage.ON_HOLD, 1, (gbp("10"),), days[4]),
        figure(OrderStage.PROCESSING, 2, (euros, gbp("10")), None),
        figure(OrderStage.PARTLY_SHIPPED, 1, (gbp("10"),), days[3]),
    ]


@pytest.mark.parametrize(
    ("days", "counts"),
    [(2, (1, 1, 0)), (4, (1, 1, 0)), (5, (1, 0, 1)), (6, (0, 1, 1)), (40, (0, 0, 2))],
)
def test_waiting_orders_count_by_the_days_since_they_were_placed(
    shop: Connection, days: int, counts: tuple[int, int, int]
) -> None:
    question = WaitingByAge(day=START.date() + timedelta(days=days))
    approval, *others = waiting_by_age(question, shop)
    assert approval.stage is OrderStage.NEEDS_APPROVAL
    assert (approval.today, approval.lately, approval.earlier) == counts
    assert [each.stage for each in others] == list(NEEDS_ACTION[1:])
    held = next(each for each in others if each.stage is OrderStage.ON_HOLD)
    assert held.today + held.lately + held.earlier == 1


def test_imported_history_does_not_wait_until_something_is_done_with_it(
    connection: Connection,
) -> None:
    history = History()
    for number in ("1", "2", "3"):
        history.run(place(number, TEN), operator=IMPORTER, history=True)
    history.run(do.ApproveOrder(order_id="3"), operator=IMPORTER, history=True)
    # What a till records late happened here, and waits.
    history.run(place("4", TEN), START + timedelta(days=1), history=True)
    history.run(do.AddOrderNote(order_id="1", note="Long done."), START + timedelta(days=2))
    project(connection, history.recorded)
    assert list(found(connection).values()) == [
        figure(OrderStage.NEEDS_APPROVAL, 1, (gbp("10"),), START + timedelta(days=1), imported=2),
        figure(OrderStage.READY_TO_SHIP, 0, (), None, imported=1),
    ]
    history.run(do.ApproveOrder(order_id="2"), START + timedelta(days=3))
    taken_up = history.recorded[-1:]
    project(connection, taken_up)
    assert list(found(connection).values()) == [
        figure(OrderStage.NEEDS_APPROVAL, 1, (gbp("10"),), START + timedelta(days=1), imported=1),
        figure(OrderStage.PROCESSING, 1, (gbp("10"),), None),
        figure(OrderStage.READY_TO_SHIP, 0, (), None, imported=1),
    ]
    listed = list_orders(ListOrders(imported=False), connection).rows
    assert {row.order_id for row in listed} == {"2", "4"}
    listed = list_orders(ListOrders(imported=True), connection).rows
    assert {row.order_id for row in listed} == {"1", "3"}
    by_status = orders_by_status(OrdersByStatus(), connection)
    assert {each.status.value: each.orders for each in by_status if each.orders} == {
        "placed": 2,
        "approved": 2,
    }


def test_an_empty_shop_has_nothing_to_do(connection: Connection) -> None:
    assert found(connection) == {}


def test_today_against_yesterday(shop: Connection) -> None:
    day = (START + timedelta(days=8)).date()
    rest: dict[str, Any] = {"count": 0, "value": Decimal(0)}
    ten, twenty = Decimal(10), Decimal(20)
    assert today_figures(TodayFigures(day=day), shop) == (
        Figure(what="approved", currency="EUR", count_before=1, value_before=ten, **rest),
        Figure(what="approved", currency="GBP", count_before=2, value_before=twenty, **rest),
        Figure(what="held", currency="GBP", count_before=1, value_before=ten, **rest),
        Figure(
            what="shipped",
            currency="GBP",
            count=1,
            value=Decimal("2.5"),
            count_before=0,
            value_before=Decimal(0),
        ),
    )


def test_every_day_is_on_the_chart(shop: Connection) -> None:
    until = START.date() + timedelta(days=2)
    assert orders_by_day(OrdersByDay(days=4, until=until), shop) == (
        DayFigure(date(2010, 11, 30), 0, (), 0, ()),
        DayFigure(date(2010, 12, 1), 0, (), 0, ()),
        DayFigure(date(2010, 12, 2), 1, (gbp("10"),), 0, (gbp("10"),)),
        DayFigure(date(2010, 12, 3), 1, (gbp("10"),), 0, (gbp("10"),)),
    )


def test_a_day_counts_what_was_approved_on_it_and_its_revenue_without_what_was_cancelled(
    connection: Connection,
) -> None:
    history = History()
    for order_id in ("1", "2", "3"):
        history.run(place(order_id, TEN), START)
    for order_id in ("1", "2"):
        history.run(do.ApproveOrder(order_id=order_id), START + timedelta(days=1))
    history.run(do.CancelOrder(order_id="2", reason=CancelReason.FRAUD), START + timedelta(days=1))
    project(connection, history.recorded)
    day = START.date()
    assert orders_by_day(OrdersByDay(days=2, until=day + timedelta(days=1)), connection) == (
        DayFigure(day, 3, (gbp("30"),), 0, (gbp("20"),)),
        DayFigure(day + timedelta(days=1), 0, (), 2, ()),
    )


def test_every_status_is_listed(shop: Connection) -> None:
    listed = orders_by_status(OrdersByStatus(), shop)
    assert {each.status.value: each.orders for each in listed} == {
        "placed": 2,
        "approved": 2,
        "on_hold": 1,
        "part_shipped": 1,
        "shipped": 0,
        "delivered": 0,
        "cancelled": 0,
        "rejected": 0,
    }


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31)])
def test_days_before_all_shops_are_not_asked_for(day: date) -> None:
    with pytest.raises(Invalid):
        TodayFigures(day=day)
    with pytest.raises(Invalid):
        OrdersByDay(until=day)
    with pytest.raises(Invalid):
        WaitingByAge(day=day)


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(8999, 12, 31)])
def test_the_first_and_the_last_day_of_all_can_be_asked_for(shop: Connection, day: date) -> None:
    assert today_figures(TodayFigures(day=day), shop) == ()
    assert len(orders_by_day(OrdersByDay(until=day), shop)) == 30


@pytest.mark.parametrize("day", [date.min, date(999, 12, 31), date(9000, 1, 1), date.max])
def test_days_of_no_shop_cannot(day: date) -> None:
    with pytest.raises(Invalid):
        TodayFigures(day=day)


CACHED: list[Query] = [
    OrdersByStage(),
    TodayFigures(day=START.date() + timedelta(days=8)),
    OrdersByDay(until=START.date() + timedelta(days=8)),
    WaitingByAge(day=START.date() + timedelta(days=8)),
    OrdersByStatus(),
    ListCustomers(),
    GetCustomer(customer_id="17850"),
    RevenueReport(),
    LastSalesDay(),
    TopProducts(),
    TopCustomers(),
    ListCreditNotes(),
]


@pytest.mark.parametrize("question", CACHED, ids=lambda question: type(question).__name__)
def test_answers_come_back_from_the_cache_as_they_were(shop: Connection, question: Query) -> None:
    handler = DESK.answers[type(question)].handler
    answer, wanted = handler(question, shop), get_type_hints(handler)["return"]
    assert msgspec.json.decode(msgspec.json.encode(answer), type=wanted) == answer
