"""Imported history that breaks today's rules shows as flagged wherever an operator meets it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.services import services_of
from tests.areas.orders.given import place
from tests.interfaces.web.pages.conftest import catch_up, client_in

LONG_AGO = datetime(2017, 1, 2, 10, tzinfo=UTC)
IMPORTER = Actor("importer", frozenset({"orders.place", "orders.ship", HISTORY}))


@pytest.fixture
def client(console: Flask) -> FlaskClient:
    """An operator's browser; order O-1 was shipped without approval, O-2 is regular."""
    kernel: Kernel = services_of(console).kernel
    for task in (place("O-1"), place("O-2"), ShipOrder(order_id="O-1")):
        context = Context(actor=IMPORTER, channel="import", occurred_at=LONG_AGO)
        kernel.commands.execute(task, context)
    catch_up(console)
    return client_in(console, "operator")


def soup(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200
    return BeautifulSoup(answer.get_data(), "html.parser")


def test_home_counts_imported_orders_apart_from_those_that_wait(client: FlaskClient) -> None:
    card = soup(client, "/").select_one("#home-waiting .stat")
    assert card is not None
    text = card.get_text(" ", strip=True)
    assert text.startswith("Needs approval 0 1 imported")
    assert "1 imported, not counted" in text
    assert soup(client, str(card["href"])).find(id="row-O-2") is None
    imported = soup(client, "/orders?status=placed&imported=1")
    assert imported.find(id="row-O-2") is not None
    chosen = imported.select_one("#filter-imported [selected]")
    assert chosen is not None and chosen["value"] == "1"


def test_an_order_says_what_it_is_flagged_for(client: FlaskClient) -> None:
    page = soup(client, "/orders/O-1")
    heading = page.find(id="flags-heading")
    assert heading is not None and heading.parent is not None and heading.parent.parent is not None
    assert heading.get_text() == "1 flag"
    panel = heading.parent.parent.get_text()
    assert "Order O-1 has waited for approval since 2 Jan 2017 10:00" in panel
    entry = page.find(id="event-2")
    assert entry is not None and "Flagged" in entry.get_text()
    assert soup(client, "/orders/O-2").find(id="flags-heading") is None


def test_the_list_shows_flags_and_can_be_narrowed_to_them(client: FlaskClient) -> None:
    everything = soup(client, "/orders")
    flagged, regular = everything.find(id="row-O-1"), everything.find(id="row-O-2")
    assert flagged is not None and "1 flag" in flagged.get_text()
    assert regular is not None and "flag" not in regular.get_text()
    narrowed = soup(client, "/orders?flagged=1")
    assert narrowed.find(id="row-O-1") is not None
    assert narrowed.find(id="row-O-2") is None
    chip = narrowed.select_one(".chip")
    assert chip is not None and chip.get_text(" ", strip=True).startswith("Flagged yes")
    box = narrowed.find(id="filter-flagged")
    assert box is not None and box.has_attr("checked")
    assert client.get("/orders?flagged=maybe").status_code == 422
