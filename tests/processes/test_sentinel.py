"""Redis behind sentinels: a master that dies is replaced, and nobody has to restart anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.platform.runtime import health
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import process_of, wait_until
from tests.processes.running import eventually
from tests.services.sentinel import Watched, watched_redis

ADA = Actor("ada", ROLES["admin"])
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("redis_server")]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "sentinel"
    folder.mkdir()
    with watched_redis(folder) as made:
        yield made


def place(kernel: Kernel, order_id: str) -> None:
    line = OrderLine(sku="TEA", quantity=1, unit_price=Decimal("2.50"))
    command = PlaceOrder(order_id=order_id, country="Denmark", currency="DKK", lines=(line,))
    kernel.commands.execute(command, Context(actor=ADA, channel="test"))


def listed(kernel: Kernel) -> int:
    """Orders in the list, which only a worker brings forward here."""
    with kernel.engines.query.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM orders").scalar_one())


def has_worker(kernel: Kernel) -> bool:
    with kernel.engines.write.connect() as connection:
        return any(each.alive for each in presence.seen(connection, kernel.clock()))


def test_wake_ups_cache_and_limits_go_on_with_the_next_master(
    watched: Watched, make_console: Callable[..., Flask]
) -> None:
    app = make_console(redis_url=watched.url)
    kernel, ask = services_of(app).kernel, QueryContext(actor=ADA)
    with process_of(app, "worker"):
        wait_until(lambda: has_worker(kernel))
        place(kernel, "S1")
        wait_until(lambda: listed(kernel) == 1)
        watched.kill_master()
        # Whoever asks in vain once finds the new one at the next attempt.
        assert eventually(lambda: health.look(kernel).redis)
        place(kernel, "S2")
        wait_until(lambda: listed(kernel) == 2)
    kernel.queries.ask(ListOrders(), ask)
    assert eventually(lambda: kernel.queries.ask(ListOrders(), ask).freshness.cached)
    rates = services_of(app).sign_in_rates
    rates.wait_of("192.0.2.1")
    assert kernel.redis.keys("countersign:limits*")
