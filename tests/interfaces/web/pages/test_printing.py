"""Documents to print: packing slip, pick list and confirmation, for one order or many."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import ChangedLine, OrderLine, ShippingAddress
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.areas.orders.printing import MOST_PRINTED, PAPERS
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import order_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.services.statements import statements
from tests.services.stores import on_one_database


@pytest.fixture
def client(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("viewer")


def some(shop: Flask, count: int) -> list[str]:
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.query.connect() as connection:
        found = select(orders.c.order_id).order_by(orders.c.order_id).limit(count)
        return list(connection.execute(found).scalars())


@pytest.mark.parametrize("paper", PAPERS)
def test_each_order_has_its_document(shop: Flask, client: FlaskClient, paper: str) -> None:
    chosen = some(shop, 3)
    address = f"/print/{paper}?" + "&".join(f"order={each}" for each in chosen)
    shown = page(client, address).select("article.paper")
    assert len(shown) == len(chosen)
    for each, order_id in zip(shown, chosen, strict=True):
        assert order_id in each.get_text(" ")
        assert PAPERS[paper] in each.get_text(" ")


def test_a_document_of_many_orders_takes_as_many_statements_as_that_of_few(
    shop: Flask, client: FlaskClient
) -> None:
    def sent(count: int) -> int:
        address = "/print/packing-slip?" + "&".join(f"order={each}" for each in some(shop, count))
        with statements() as found:
            assert len(page(client, address).select("article.paper")) == count
        return len(found)

    sent(2)
    assert sent(20) == sent(2)


def test_a_document_holds_what_was_recorded_a_moment_ago(shop: Flask, client: FlaskClient) -> None:
    kernel: Kernel = services_of(shop).kernel
    actor = Actor("ada", ROLES["admin"])
    new = do.PlaceOrder(
        order_id="X1",
        currency="EUR",
        country="Spain",
        lines=(OrderLine(sku="NEW", quantity=3, unit_price=2),),
    )
    kernel.commands.execute(new, Context(actor=actor, channel="test"))
    placed = order_in(shop, "placed")
    moved = do.ChangeShippingAddress(
        order_id=placed, address=ShippingAddress(line1="9 New Road", city="Leeds", country="UK")
    )
    kernel.commands.execute(moved, Context(actor=actor, channel="test"))
    chosen = [*(each for each in some(shop, 3) if each != placed), placed, "X1"]
    address = "/print/packing-slip?" + "&".join(f"order={each}" for each in chosen)
    papers = page(client, address).select("article.paper")
    assert "9 New Road" in papers[-2].get_text()
    assert "NEW" in papers[-1].get_text()


def test_a_pick_list_has_what_is_left_and_a_confirmation_what_it_costs(
    shop: Flask, client: FlaskClient
) -> None:
    delivered, placed = order_in(shop, "delivered"), order_in(shop, "placed")
    assert "Nothing is left to pick." in page(client, f"/print/pick-list?order={delivered}").text
    picked = page(client, f"/print/pick-list?order={placed}")
    assert picked.select(".paper-box")
    total = page(client, f"/orders/{placed}").select_one(".order-facts .money")
    assert total is not None
    confirmed = page(client, f"/print/confirmation?order={placed}")
    assert confirmed.select("tfoot .money")[-1].get_text() == total.get_text()


def test_a_line_that_was_removed_is_on_no_document(shop: Flask, client: FlaskClient) -> None:
    kernel: Kernel = services_of(shop).kernel
    actor = Actor("ada", frozenset(ROLES["admin"]) | {HISTORY})
    lines = tuple(OrderLine(sku=sku, quantity=1, unit_price=2) for sku in ("KEPT", "REMOVED"))
    removed = ChangedLine(line_no=2, quantity=0, unit_price=2)
    for command in (
        do.PlaceOrder(order_id="X1", currency="EUR", country="Spain", lines=lines),
        do.ChangeOrderLines(order_id="X1", lines=(removed,)),
    ):
        kernel.commands.execute(command, Context(actor=actor, channel="test"))
    # As history, so that nothing has to be reserved and paid for it.
    for command in (do.ApproveOrder(order_id="X1"), do.ShipOrder(order_id="X1")):
        past = Context(actor=actor, channel="test", occurred_at=kernel.clock())
        kernel.commands.execute(command, past)
    for paper in ("packing-slip", "confirmation"):
        table = page(client, f"/print/{paper}?order=X1").select_one("article.paper tbody")
        assert table is not None
        assert [each.get_text() for each in table.select("th")] == ["KEPT"]


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/print/receipt?order=A", 404, "There is no such document."),
        ("/print/pick-list?order=none", 404, "There is no order none."),
        ("/print/pick-list", 400, "Choose at least one order to print."),
        (
            "/print/pick-list?" + "&".join(f"order={n}" for n in range(MOST_PRINTED + 1)),
            400,
            f"Print at most {MOST_PRINTED} orders at once.",
        ),
    ],
)
def test_what_cannot_be_printed_says_why(
    client: FlaskClient, address: str, status: int, sentence: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert sentence in answer.text


def test_the_order_and_the_list_lead_to_their_documents(shop: Flask, client: FlaskClient) -> None:
    order_id = order_in(shop, "placed")
    for paper in PAPERS:
        assert page(client, f"/orders/{order_id}").find(
            "a", href=f"/print/{paper}?order={order_id}"
        )
        links = page(client, "/orders").select(f'a[href^="/print/{paper}?order="]')
        assert len(links) == 1
        assert page(client, str(links[0]["href"])).select("article.paper")


@on_one_database
def test_a_document_is_black_on_white_in_the_dark_too_and_begins_a_page_per_order(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    shown = signed_in("viewer", color_scheme="dark")
    first, second = some(shop, 2)
    shown.goto(f"/print/packing-slip?order={first}&order={second}")
    shown.emulate_media(media="print")
    style = "getComputedStyle(document.querySelector('.papers'))"
    assert shown.evaluate(f"[{style}.color, {style}.backgroundColor]") == [
        "rgb(0, 0, 0)",
        "rgb(255, 255, 255)",
    ]
    last = "getComputedStyle(document.querySelectorAll('.paper')[1])"
    assert shown.evaluate(f"{last}.breakBefore") == "page"
    assert not shown.locator(".papers-bar").is_visible()
