"""The demo shop: in every state, repeatable, and placed only where there is nothing yet."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.platform.demo.shop import tasks
from cqrs_app.processes.programs import prepare_stores
from cqrs_app.services import services_of
from tests.console import MakeConsole

NOW = datetime(2026, 3, 15, 14, 0, tzinfo=UTC)


def test_the_same_number_gives_the_same_shop() -> None:
    assert tasks(50, NOW) == tasks(50, NOW)


def test_everything_happened_within_the_last_month_or_so() -> None:
    moments = [task.at for task in tasks(200, NOW)]
    assert max(moments) < NOW
    assert min(moments) > NOW - timedelta(days=32)


def test_the_days_of_the_shop_are_even() -> None:
    """But for the last, whose orders the opening places."""
    placed = Counter(
        task.at.date() for task in tasks(240, NOW) if isinstance(task.command, PlaceOrder)
    )
    _, *whole, _ = (placed[day] for day in sorted(placed))
    assert len(whole) == 28
    assert max(whole) - min(whole) <= 3
    assert placed[NOW.date()] == 0


def test_an_empty_store_gets_orders_in_every_state_and_a_filled_one_is_left_alone(
    kernel: Kernel,
) -> None:
    told: list[str] = []
    assert load_if_empty(kernel, 240, told.append) > 0
    with kernel.engines.query.connect() as connection:
        counted = select(orders.c.status, func.count()).group_by(orders.c.status)
        counts = dict(connection.execute(counted).all())
    assert set(counts) == {str(status) for status in OrderStatus}
    assert sum(counts.values()) == 240
    with kernel.engines.query.connect() as connection:
        flagged = select(func.count()).where(orders.c.flags > 0)
        assert connection.execute(flagged).scalar_one() == 0
    head = kernel.store.head()
    assert load_if_empty(kernel, 240, told.append) == 0
    assert kernel.store.head() == head
    assert len(told) == 1


def test_the_first_start_prepares_orders_and_an_operator(make_console: MakeConsole) -> None:
    app = make_console(demo_orders=12, admin_name="boss")
    told: list[str] = []
    assert prepare_stores(app, told.append)
    assert [words.split(",")[0] for words in told] == ["Demo data loaded: 12 orders"]
    assert [each.name for each in services_of(app).accounts.list()] == ["boss"]
