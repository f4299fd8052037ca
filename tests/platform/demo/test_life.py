"""The demo shop goes on, one step at a time, while somebody looks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select, update

from cqrs_app.areas.fulfilment.commands import RetryFulfilment
from cqrs_app.areas.orders.amounts import amount_of
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    HoldOrder,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.demo import load_if_empty, task
from cqrs_app.platform.demo.life import (
    LATE,
    LEFT_TO_APPROVE,
    LEFT_TO_SHIP,
    Shop,
    next_command,
)
from cqrs_app.platform.demo.shop import customers_of
from cqrs_app.platform.demo.tables import demo_shop
from cqrs_app.platform.demo.task import FIRST_STEPS, DemoLife
from cqrs_app.platform.operators.sessions import Sessions
from tests.services.operators import accounts_on

LIFE = DemoLife(12, 30.0)
LATER = FIRST_STEPS + 1


def _shop(**waiting: Any) -> Shop:
    return Shop(customers=customers_of(12), next_order="CS-10013", **waiting)


def _chosen(shop: Shop) -> Counter[type]:
    return Counter(type(next_command(Random(seed), shop, LATER)) for seed in range(200))


def test_where_nothing_waits_only_orders_come_in() -> None:
    assert set(_chosen(_shop())) == {PlaceOrder}


def test_the_last_orders_to_approve_and_to_ship_are_left_to_people() -> None:
    few = _shop(to_approve=["A"] * LEFT_TO_APPROVE, to_ship=["B"] * LEFT_TO_SHIP)
    assert not {ApproveOrder, ShipOrder} & set(_chosen(few))
    many = _shop(to_approve=["A"] * (LEFT_TO_APPROVE + 1), to_ship=["B"] * (LEFT_TO_SHIP + 1))
    assert {ApproveOrder, ShipOrder} <= set(_chosen(many))


def test_some_orders_of_several_lines_ship_in_part() -> None:
    shop = Shop(
        customers=customers_of(12),
        next_order="CS-10013",
        to_ship=["B"] * (LEFT_TO_SHIP + 1),
        left=(2, 0, 3),
    )
    made = (next_command(Random(seed), shop, LATER) for seed in range(200))
    sent = {
        tuple((line.line_no, line.quantity) for line in command.lines)
        for command in made
        if isinstance(command, ShipOrder)
    }
    assert sent == {((1, 2),), ((1, 2), (3, 3))}


def test_in_the_opening_payments_are_declined_and_products_run_short() -> None:
    def opened(step: int, shop: Shop) -> Command | None:
        return next_command(Random(step), shop, step)

    new = _shop(last_order="CS-10012", to_approve=["A"])
    empty = [opened(step, new) for step in range(1, FIRST_STEPS + 1)]
    totals = [amount_of(each.lines) for each in empty if isinstance(each, PlaceOrder)]
    declined = [total for total in totals if total % 1 == Decimal("0.51")]
    assert (len(totals), len(declined)) == (10, 4)
    assert sum(isinstance(each, ApproveOrder) for each in empty) == 10
    # Nothing to ship yet, to deliver, to take back or to try again.
    assert {type(each) for each in empty[20:] if each} == {HoldOrder, AddOrderNote}
    busy = _shop(to_ship=["A"], to_deliver=["B"], delivered=["C"], declined=["D", "E", "F"])
    busy = replace(busy, to_approve=["G"], left=(1,))
    assert {type(each) for step in range(21, FIRST_STEPS + 1) if (each := opened(step, busy))} == {
        *(ShipOrder, DeliverOrder, RequestReturn, RetryFulfilment, HoldOrder, AddOrderNote)
    }


def test_the_oldest_orders_to_approve_become_late() -> None:
    shop = _shop(to_approve=[f"A{number}" for number in range(LEFT_TO_APPROVE + 1)])
    made = (next_command(Random(seed), shop, LATER) for seed in range(400))
    approved = {each.order_id for each in made if isinstance(each, ApproveOrder)}
    assert approved == set(shop.to_approve[LATE:])


def test_two_declined_payments_are_left_and_the_first_of_more_is_tried_again() -> None:
    few = _shop(declined=["A", "B"])
    assert RetryFulfilment not in _chosen(few)
    made = (
        next_command(Random(seed), _shop(declined=["A", "B", "C"]), LATER) for seed in range(99)
    )
    assert {each.order_id for each in made if isinstance(each, RetryFulfilment)} == {"A"}


def test_an_order_of_many_that_could_not_be_paid_is_cancelled() -> None:
    assert CancelOrder not in _chosen(_shop(unpaid=["A", "B"]))
    more = _shop(unpaid=["A", "B", "C"])
    made = (next_command(Random(seed), more, LATER) for seed in range(99))
    assert {each.order_id for each in made if isinstance(each, CancelOrder)} == {"A"}


def test_what_comes_back_is_requested_and_then_received() -> None:
    asked = _chosen(_shop(delivered=["A"]))
    assert RequestReturn in asked
    assert ReceiveReturn not in asked
    received = _chosen(replace(_shop(delivered=["A"]), open_return="R1"))
    assert ReceiveReturn in received
    assert RequestReturn not in received


@pytest.fixture
def shop(kernel: Kernel) -> Kernel:
    load_if_empty(kernel, 12, lambda line: None)
    return kernel


def _commands(kernel: Kernel) -> int:
    """How many the log holds."""
    with kernel.engines.write.connect() as connection:
        return connection.execute(select(func.count()).select_from(command_log)).scalar_one()


def test_a_step_sends_one_command_and_the_next_one_waits(
    shop: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "FIRST_SECONDS", 600.0)
    life, before = DemoLife(12, 600.0), _commands(shop)
    (key,) = life.due(shop)
    life.work(shop, key)
    assert _commands(shop) == before + 1
    life.work(shop, key)
    assert (life.due(shop), _commands(shop)) == ([], before + 1)


def test_after_the_first_steps_time_passes_only_while_somebody_looks(shop: Kernel) -> None:
    with shop.engines.write.begin() as connection:
        connection.execute(update(demo_shop).values(steps=FIRST_STEPS, until=None))
    assert LIFE.due(shop) == []
    roles = shop.registry.roles
    accounts_on(shop.engines.write).create("ana", "viewer", "a password of some length")
    Sessions(shop.engines.write, roles, idle_seconds=60, hours=1).open("ana")
    assert LIFE.due(shop)


def test_a_store_that_is_no_demo_shop_stays_as_it_is(kernel: Kernel) -> None:
    assert LIFE.due(kernel) == []


def test_steps_are_numbered(shop: Kernel) -> None:
    (key,) = LIFE.due(shop)
    LIFE.work(shop, key)
    with shop.engines.write.connect() as connection:
        assert connection.execute(select(demo_shop.c.steps)).scalar_one() == 1
