"""Pages of a console whose list of orders is synchronous."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.environment import SettingsError
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, new_id
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import services_of
from tests.console import MakeConsole, consoles_on
from tests.interfaces.web.pages.conftest import client_in
from tests.services.stores import Databases, Templates

NAMES = "orders, customers, customer_profiles"


def in_one_database(databases: Databases) -> None:
    from cqrs_app.database import upgrade

    upgrade(databases.settings(read_database_url=databases.write_url))


@pytest.fixture
def make_one(
    kind: str, templates: Templates, tmp_path: Path, redis_url: str
) -> Iterator[MakeConsole]:
    with (
        templates.copy(kind, in_one_database, tmp_path) as databases,
        consoles_on(databases, redis_url) as make,
    ):
        yield lambda **more: make(read_database_url=databases.write_url, **more)


def do(kernel: Kernel, command: Command) -> None:
    actor = Actor("ben", ROLES["admin"])
    kernel.commands.execute(command, Context(actor=actor, channel="test", command_id=new_id()))


def test_a_list_shows_a_new_order_without_any_worker(make_one: MakeConsole) -> None:
    app = make_one(synchronous_projections=NAMES)
    line = OrderLine(sku="LAMP", description="", quantity=1, unit_price=Decimal(3))
    do(
        services_of(app).kernel,
        PlaceOrder(order_id="NEW-1", country="DE", currency="EUR", lines=(line,)),
    )
    assert "NEW-1" in client_in(app, "operator").get("/orders").text


def test_an_erased_person_is_on_no_page_at_once(make_one: MakeConsole) -> None:
    app = make_one(synchronous_projections=NAMES)
    kernel, client = services_of(app).kernel, client_in(app, "admin")
    do(kernel, RegisterCustomer(customer_id="C1", name="Maria Lind", email="maria@example.com"))
    assert "Maria Lind" in client.get("/customers").text
    do(kernel, EraseCustomer(customer_id="C1", reason="The customer asked for it."))
    assert "Maria Lind" not in client.get("/customers").text


def test_an_unknown_projection_is_refused_at_the_start(make_one: MakeConsole) -> None:
    with pytest.raises(SettingsError, match="names nothing, which is no projection"):
        make_one(synchronous_projections="nothing")


def test_two_databases_are_refused_at_the_start(make_console: MakeConsole) -> None:
    with pytest.raises(SettingsError, match="READ_DATABASE_URL"):
        make_console(synchronous_projections="orders")
