"""The demo shop goes on, one step at a time, while somebody looks."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from sqlalchemy import func, select, update

from cqrs_app.areas.orders.commands import ApproveOrder, PlaceOrder, ShipOrder
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.demo import load_if_empty, task
from cqrs_app.platform.demo.life import (
    LEFT_TO_APPROVE,
    LEFT_TO_SHIP,
    Shop,
    next_command,
)
from cqrs_app.platform.demo.shop import customers_of
from cqrs_app.platform.demo.tables import demo_shop
from cqrs_app.platform.demo.task import FIRST_STEPS, DemoLife
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.sessions import Sessions

LIFE = DemoLife(12, 30.0)


def _shop(**waiting: list[str]) -> Shop:
    return Shop(customers=customers_of(12), next_order="CS-10013", **waiting)  # type: ignore[arg-type]


def _chosen(shop: Shop) -> Counter[type]:
    return Counter(type(next_command(Random(seed), shop)) for seed in range(200))


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
    made = (next_command(Random(seed), shop) for seed in range(200))
    sent = {
        tuple((line.line_no, line.quantity) for line in command.lines)
        for command in made
        if isinstance(command, ShipOrder)
    }
    assert sent == {((1, 2),), ((1, 2), (3, 3))}


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
    Accounts(shop.engines.write, roles).create("ana", "viewer", "a password of some length")
    Sessions(shop.engines.write, roles, idle_seconds=60, hours=1).open("ana")
    assert LIFE.due(shop)


def test_a_store_that_is_no_demo_shop_stays_as_it_is(kernel: Kernel) -> None:
    assert LIFE.due(kernel) == []


def test_steps_are_numbered(shop: Kernel) -> None:
    (key,) = LIFE.due(shop)
    LIFE.work(shop, key)
    with shop.engines.write.connect() as connection:
        assert connection.execute(select(demo_shop.c.steps)).scalar_one() == 1
