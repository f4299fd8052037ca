"""Polls of the order list: they return only what is new, and no query runs if nothing can be."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.security import HEADERS
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, new_id
from cqrs_app.kernel.queries.bus import QueryBus
from cqrs_app.kernel.store.tables import checkpoints
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, order_in

BEN = Actor("ben", frozenset({"orders.note"}))
pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cqrs_app.kernel.queries.change_token.HELD_SECONDS", 0.0)


def poll(client: FlaskClient, address: str, tag: str = "") -> TestResponse:
    return client.get(address, headers={"HX-Request": "true", "HX-PTag": tag})


@pytest.fixture
def address(client_of: Callable[[str], FlaskClient]) -> str:
    found = re.search(r'hx-get="(/orders/changes[^"]*)"', client_of("operator").get("/orders").text)
    assert found
    return html.unescape(found[1])


def test_a_poll_with_nothing_new_asks_no_question(
    client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    first = poll(client, address)
    assert first.status_code == 200

    with patch.object(QueryBus, "ask", side_effect=AssertionError("asked")):
        again = poll(client, address, first.headers["HX-PTag"])
    assert again.status_code == 204
    assert not again.data


def test_a_change_is_told_with_a_new_tag(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    catch_up(shop)  # the account is an event
    tag = poll(client, address).headers["HX-PTag"]
    note(shop)

    on_its_way = poll(client, address, tag)
    assert "1 change not shown yet" in on_its_way.text
    catch_up(shop)
    shown = poll(client, address, on_its_way.headers["HX-PTag"])
    assert "1 change, show" in shown.text


def test_a_change_that_looks_the_same_swaps_nothing_but_renews_the_tag(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    catch_up(shop)
    address += "&q=nobody"
    first = poll(client, address)
    note(shop)
    catch_up(shop)

    second = poll(client, address, first.headers["HX-PTag"])
    assert second.status_code == 204
    assert second.headers["HX-PTag"] != first.headers["HX-PTag"]


def test_a_tag_is_worth_nothing_at_another_address_or_to_somebody_else(
    client_of: Callable[[str], FlaskClient], address: str
) -> None:
    tag = poll(client_of("operator"), address).headers["HX-PTag"]
    assert poll(client_of("operator"), address + "1", tag).status_code == 200
    assert poll(client_of("viewer"), address, tag.partition(".")[0]).status_code == 200
    assert poll(client_of("nobody"), address, tag).status_code == 401


def test_a_poll_with_nothing_new_never_reaches_the_views_but_has_every_header(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    tag = poll(client, address).headers["HX-PTag"]
    with patch.object(shop, "full_dispatch_request", side_effect=AssertionError("dispatched")):
        answer = poll(client, address, tag)
    assert answer.status_code == 204
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_session_that_has_ended_is_told_so_whatever_tag_it_brings(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    tag = poll(client, address).headers["HX-PTag"]
    with client.session_transaction() as cookie:
        token = cookie["token"]
    services_of(shop).sessions.revoke(token)
    assert poll(client, address, tag).status_code == 401


def test_a_cookie_with_another_signature_opens_nothing(
    client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    tag = poll(client, address).headers["HX-PTag"]
    name = client.application.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    client.set_cookie(name, cookie.value[:-3] + "abc")
    assert poll(client, address, tag).status_code == 401


def test_a_poll_under_a_host_that_is_not_trusted_is_left_to_the_application(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client = client_of("operator")
    tag = poll(client, address).headers["HX-PTag"]
    refused = Response(status=400)
    with (
        patch.dict(shop.config, TRUSTED_HOSTS=["console.example"]),
        patch.object(shop, "full_dispatch_request", return_value=refused),
    ):
        assert poll(client, address, tag).status_code == 400


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("running", "lists will follow in a moment"),
        ("failed", "lists do not show it while their updates are stopped"),
        ("paused", "lists do not show it while their updates are stopped"),
    ],
)
def test_what_no_list_shows_yet_says_whether_lists_follow(
    shop: Flask, client_of: Callable[[str], FlaskClient], state: str, sentence: str
) -> None:
    kernel: Kernel = services_of(shop).kernel
    line = OrderLine(sku="LAMP", description="", quantity=1, unit_price=Decimal(3))
    context = Context(actor=Actor("ben", ROLES["admin"]), channel="test")
    for command in (
        PlaceOrder(order_id="new", country="Peru", currency="GBP", lines=(line,)),
        AddProduct(sku="NEW"),
    ):
        kernel.commands.execute(command, replace(context, command_id=new_id()))
    with kernel.engines.read.begin() as connection:
        connection.execute(update(checkpoints).values(state=state))
    order = client_of("admin").get("/orders/new").text
    assert ('id="order" data-poll="pending"' in order) == (state == "running")
    for page in ("/orders/new", "/product?sku=NEW"):
        text = client_of("admin").get(page).text
        assert sentence in text, page


PAGES = (
    "/reports",
    "/customers",
    "/customers/-/accounts",
    "/credit-notes",
    "/refunded-orders",
    "/payments",
    "/ledger",
    "/expenses",
    "/expenses/-/flow",
    "/products",
    "/fulfilment",
)


@pytest.mark.parametrize("page", PAGES)
def test_the_marks_of_a_page_that_stays_open_say_how_fresh_it_is(
    shop: Flask, client_of: Callable[[str], FlaskClient], page: str
) -> None:
    client = client_of("admin")
    [first, *_] = addresses = marks_of(client.get(page).text)
    assert all("Current," in poll(client, each).text for each in addresses)
    note(shop)
    assert "Refresh</a>" not in poll(client, first).text
    catch_up(shop)
    answers = [poll(client, each).text for each in addresses]
    assert all("Current," in each and '<a href="">Refresh</a>' in each for each in answers)
    assert [marks_of(each) for each in answers] == [[each] for each in addresses]
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.read.begin() as connection:
        connection.execute(update(checkpoints).values(state="paused"))
    assert all("Updates paused" in poll(client, each).text for each in addresses)


@pytest.mark.parametrize("query", ["", "position=x", "position=1&shown=nobody:1"])
def test_the_mark_of_no_panel_is_not_found(
    client_of: Callable[[str], FlaskClient], query: str
) -> None:
    assert poll(client_of("viewer"), f"/freshness?{query}").status_code == 404


def marks_of(page: str) -> list[str]:
    """The addresses at which the freshness marks of a page renew themselves."""
    return [html.unescape(each) for each in re.findall(r'hx-get="(/freshness[^"]*)"', page)]


def note(app: Flask) -> None:
    kernel: Kernel = services_of(app).kernel
    command = AddOrderNote(order_id=order_in(app, "placed"), note="Mind the dog.")
    kernel.commands.execute(command, Context(actor=BEN, channel="test"))
