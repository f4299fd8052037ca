"""Countries are offered, found however they are written, and marked where they are none."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.services import services_of
from tests.areas.desk.test_customers import credit
from tests.areas.orders.given import place
from tests.interfaces.web.pages.conftest import catch_up, client_in

LONG_AGO = datetime(2017, 1, 2, 10, tzinfo=UTC)
IMPORTER = Actor("importer", ROLES["admin"] | {HISTORY})
REPORT = "/reports?day_from=2017-01-01&day_to=2017-01-31"
NOWHERE = "Elbonia"


@pytest.fixture
def client(console: Flask) -> FlaskClient:
    """An admin's browser; an imported customer, order and credit note are of no known country."""
    kernel = services_of(console).kernel
    for command in (
        RegisterCustomer(customer_id="C1", country=NOWHERE),
        place("O-1", customer_id="C1", country=NOWHERE.upper()),
        replace(credit("CN1", "C1", "2"), country=NOWHERE.lower()),
        place("O-2", customer_id="C2", country="France"),
    ):
        context = Context(actor=IMPORTER, channel="import", occurred_at=LONG_AGO)
        kernel.commands.execute(command, context)
    catch_up(console)
    return client_in(console, "admin")


def soup(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return BeautifulSoup(answer.get_data(), "html.parser")


def test_what_is_no_country_is_marked_wherever_it_shows(client: FlaskClient) -> None:
    for address in (
        *("/orders", "/orders/O-1", "/customers", "/customers/-/accounts", "/customers/C1"),
        *("/credit-notes", REPORT),
    ):
        main = soup(client, address).find("main")
        assert main is not None
        assert f"{NOWHERE} unknown country" in main.get_text(" ", strip=True), address
    assert "unknown country" not in soup(client, "/orders/O-2").get_text()


def test_a_filter_takes_every_form_of_a_country_and_any_capitals(client: FlaskClient) -> None:
    for written in ("elbonia", "ELBONIA", "Elbonia"):
        for address in ("/orders?", "/credit-notes?", f"{REPORT}&"):
            page = soup(client, f"{address}country={written}")
            assert "unknown country" in page.get_text(), (address, written)
    for written in ("fr", "FRA", "france", "FRANCE"):
        answer = client.get(f"/exports/ListOrders.csv?country={written}")
        rows = csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline=""))
        assert [row["order_id"] for row in rows] == ["O-2"], written


def test_a_field_for_a_country_offers_the_list(client: FlaskClient, console: Flask) -> None:
    offered_here = formats_of(services_of(console).settings.locale).country_names()
    assert len(offered_here) == 249
    for address in (
        *("/reports", "/credit-notes", "/refunded-orders"),
        *("/commands/RegisterCustomer", "/commands/PlaceOrder", "/commands/RecordCreditNote"),
        "/commands/ChangeShippingAddress?order_id=O-2",
        "/queries/ListOrders",
    ):
        page = soup(client, address)
        fields = page.select("input[name$=country]")
        assert fields, address
        for field in fields:
            (offered,) = page.select(f"datalist#{field['list']}")
            values = tuple(str(option["value"]) for option in offered.select("option"))
            assert values == offered_here
