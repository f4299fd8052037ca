"""Shipping in part: the lines of the order, each with a quantity, without scripts and in a
browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.desk.queries.carriers import RecentCarriers
from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView
from cqrs_app.areas.orders.commands import ApproveOrder, PlaceOrder, ShipOrder
from cqrs_app.areas.orders.types import OrderLine, ShippedLine, ShippingAddress
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up
from tests.interfaces.web.pages.test_without_scripts import fields, page

SUPERVISOR = Actor("supervisor", ROLES["supervisor"])
THE = "PARTS-1"
ADDRESS = f"/commands/ShipOrder?order_id={THE}"


def run(app: Flask, *commands: Command) -> None:
    kernel: Kernel = services_of(app).kernel
    for command in commands:
        kernel.commands.execute(command, Context(actor=SUPERVISOR, channel="test"))


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    """Orders ship without their stock being reserved."""
    return make_shop(fulfilment=False)


@pytest.fixture
def order(shop: Flask) -> Flask:
    """An approved order of three lines, of the first of which one unit has shipped."""
    lines = (("LAMP", "A lamp", 4), ("CARD", "A card", 3), ("BELL", "A bell", 1))
    run(
        shop,
        PlaceOrder(
            order_id=THE,
            country="Denmark",
            currency="EUR",
            shipping_address=ShippingAddress(line1="Rue Haute 5", city="Lille", country="France"),
            lines=tuple(
                OrderLine(sku=sku, description=text, quantity=quantity, unit_price=2)
                for sku, text, quantity in lines
            ),
        ),
        ApproveOrder(order_id=THE),
    )
    run(shop, ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=1),), carrier="DHL"))
    catch_up(shop)
    return shop


def shipped(app: Flask) -> list[int]:
    kernel: Kernel = services_of(app).kernel
    context = QueryContext(actor=SUPERVISOR, strong=True)
    order: OrderView = kernel.queries.ask(GetOrder(order_id=THE), context).value
    return [line.shipped_quantity for line in order.lines]


@pytest.fixture
def client(order: Flask, client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("operator")


def error_at(answer: Any, name: str) -> str:
    soup = BeautifulSoup(answer.get_data(), "html.parser")
    field = soup.find(attrs={"name": name})
    assert field
    described = soup.find(id=field["aria-describedby"])
    assert described
    return described.get_text(strip=True)


def test_the_lines_that_are_left_are_listed_with_their_remaining_quantity(
    client: FlaskClient,
) -> None:
    form = page(client, ADDRESS)
    rows = [" ".join(row.get_text(" ").split()) for row in form.select(".line-quantities tbody tr")]
    assert rows == ["LAMP A lamp 3", "CARD A card 3", "BELL A bell 1"]
    sent = fields(form)
    quantities = {name: text for name, text in sent.items() if name.startswith("lines-")}
    assert quantities == {
        "lines-1-quantity": "3",
        "lines-2-quantity": "3",
        "lines-3-quantity": "1",
    }


def test_a_quantity_of_zero_leaves_a_line_out(order: Flask, client: FlaskClient) -> None:
    values = fields(page(client, ADDRESS))
    values |= {"lines-1-quantity": "0", "lines-2-quantity": "2", "lines-3-quantity": ""}
    assert client.post(ADDRESS, data=values).status_code == 303
    assert shipped(order) == [1, 2, 0]


def test_too_many_units_are_an_error_at_their_own_field(order: Flask, client: FlaskClient) -> None:
    values = fields(page(client, ADDRESS)) | {"lines-2-quantity": "99"}
    answer = client.post(ADDRESS, data=values)
    assert answer.status_code == 422
    assert error_at(answer, "lines-2-quantity") == "Only 3 remaining."
    focused = BeautifulSoup(answer.get_data(), "html.parser").select("#command [autofocus]")
    assert [each["name"] for each in focused] == ["lines-2-quantity"]
    assert fields(BeautifulSoup(answer.get_data(), "html.parser"))["lines-2-quantity"] == "99"
    assert shipped(order) == [1, 0, 0]


@pytest.mark.parametrize("typed", ["two", "-1"])
def test_what_is_no_quantity_is_an_error_at_its_own_field(
    order: Flask, client: FlaskClient, typed: str
) -> None:
    values = fields(page(client, ADDRESS)) | {"lines-3-quantity": typed}
    answer = client.post(ADDRESS, data=values)
    assert answer.status_code == 422
    assert error_at(answer, "lines-3-quantity")
    assert shipped(order) == [1, 0, 0]


def test_nothing_at_all_is_not_taken_for_everything(order: Flask, client: FlaskClient) -> None:
    values = fields(page(client, ADDRESS)) | {f"lines-{no}-quantity": "0" for no in (1, 2, 3)}
    answer = client.post(ADDRESS, data=values)
    assert answer.status_code == 422
    assert "Enter a quantity for at least one line." in answer.text
    assert shipped(order) == [1, 0, 0]


def test_a_line_that_shipped_meanwhile_has_nothing_remaining(
    order: Flask, client: FlaskClient
) -> None:
    values = fields(page(client, ADDRESS))
    run(order, ShipOrder(order_id=THE, lines=(ShippedLine(line_no=3, quantity=1),)))
    answer = client.post(ADDRESS, data=values)
    assert answer.status_code == 422
    assert error_at(answer, "lines-3-quantity") == "Only 0 remaining."
    assert shipped(order) == [1, 0, 1]


def test_without_an_order_lines_are_given_by_number(order: Flask, client: FlaskClient) -> None:
    form = page(client, "/commands/ShipOrder")
    assert not form.select(".line-quantities")
    assert form.find(attrs={"name": "lines-add"})
    values = fields(form) | {"order_id": THE, "lines-0-line_no": "2", "lines-0-quantity": "3"}
    assert client.post("/commands/ShipOrder", data=values).status_code == 303
    assert shipped(order) == [1, 3, 0]


def test_carriers_used_before_are_offered(order: Flask, client: FlaskClient) -> None:
    form = page(client, ADDRESS)
    carrier = form.find(attrs={"name": "carrier"})
    assert carrier
    offered = form.find("datalist", id=carrier["list"])
    assert offered
    assert "DHL" in [option["value"] for option in offered.find_all("option")]
    kernel: Kernel = services_of(order).kernel
    found = kernel.queries.ask(RecentCarriers(), QueryContext(actor=SUPERVISOR)).value
    assert "DHL" in found
    assert "" not in found
