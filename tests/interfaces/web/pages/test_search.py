"""One search over everything: as a page, and over any page in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from cqrs_app.areas.customers.commands import ChangeCustomerEmail, UpdateCustomerProfile
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.payments.commands import RecordPayment
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, order_in

Clients = Callable[[str], FlaskClient]


def send(app: Flask, command: Command) -> None:
    kernel: Kernel = services_of(app).kernel
    kernel.commands.execute(command, Context(actor=Actor("ada", ROLES["admin"]), channel="test"))
    catch_up(app)


def tracked(app: Flask) -> tuple[str, str]:
    """An order that has a tracking number, and that number."""
    kernel: Kernel = services_of(app).kernel
    with kernel.engines.query.connect() as connection:
        found = select(orders.c.order_id, orders.c.tracking).where(orders.c.tracking != "")
        row = connection.execute(found.limit(1)).one()
    return row.order_id, row.tracking


def shown(client: FlaskClient, text: str) -> str:
    answer = client.get("/search", query_string={"q": text})
    assert answer.status_code == 200
    return answer.text


def test_an_exact_number_opens_its_thing(shop: Flask, client_of: Clients) -> None:
    order_id, tracking = tracked(shop)
    payment = RecordPayment(
        payment_id="P-7",
        order_id=order_id,
        amount=Decimal("1.00"),
        currency="EUR",
        method="cash",
        reference="till",
    )
    send(shop, payment)
    client = client_of("admin")
    for text, address in {
        order_id: f"/orders/{order_id}",
        order_id.lower(): f"/orders/{order_id}",
        tracking: f"/orders/{order_id}",
        "p-7": "/payments/P-7",
        "lmp-010": "/product?sku=LMP-010",
        " LMP-010 ": "/product?sku=LMP-010",
        "C1001": "/customers/C1001",
    }.items():
        answer = client.get("/search", query_string={"q": text})
        assert (answer.status_code, answer.headers["Location"]) == (302, address), text


def test_words_list_each_kind_with_what_it_is(client_of: Clients) -> None:
    page = shown(client_of("admin"), "lamp")
    assert ">Orders</h2>" in page
    assert ">Products</h2>" in page
    assert ">Customers</h2>" not in page


def test_a_customer_and_their_orders_are_found_by_part_of_the_email_and_by_phone(
    shop: Flask, client_of: Clients
) -> None:
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.query.connect() as connection:
        found = select(orders.c.order_id).where(orders.c.customer_id == "C1001").limit(1)
        order_id = connection.execute(found).scalar_one()
    profile = {"name": "Łucja Nowak", "phone": "+48 22 555-01-23", "country": "Poland"}
    send(shop, UpdateCustomerProfile(customer_id="C1001", **profile))
    send(shop, ChangeCustomerEmail(customer_id="C1001", email="lucja.nowak@example.org"))
    client = client_of("admin")
    for text in (
        "lucja.nowak@example.org",
        "nowak@example",
        "225550123",
        "022 555 01 23",
        "+48 22 5550123",
        "0048225550123",
        "+48 (0)22 555 01 23",
    ):
        page = shown(client, text)
        assert "/customers/C1001" in page, text
        assert f"/orders/{order_id}" in page, text
    assert "/customers/C1001" in shown(client, "Lucja")


def test_pages_and_actions_are_found_by_the_beginnings_of_their_words(client_of: Clients) -> None:
    client = client_of("admin")
    assert 'href="/commands/PlaceOrder?' in shown(client, "pla ord")
    assert 'href="/log"' in shown(client, "command l")
    nothing_typed = shown(client, "")
    assert 'href="/commands/RegisterCustomer?' in nothing_typed
    assert 'href="/commands/CancelOrder' not in nothing_typed


def test_only_what_the_operator_may_see_and_do_is_found(client_of: Clients) -> None:
    client = client_of("viewer")
    assert 'href="/commands/PlaceOrder' not in shown(client, "place")
    assert 'href="/system"' not in shown(client, "system")
    assert 'href="/system"' in shown(client_of("admin"), "system")


def test_a_search_for_anything_at_all_is_answered(client_of: Clients) -> None:
    client = client_of("admin")
    for text in ("%", "_", "'", "\\", "/", "a" * 5_000, "☃", "((", "@", "0000000", "\u202e"):
        answer = client.get("/search", query_string={"q": text})
        assert answer.status_code in (200, 302), text


@pytest.fixture
def at_home(shop: Flask, signed_in: Callable[..., Page]) -> Page:
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.goto("/")
    return page


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_palette_opens_what_was_typed_exactly_with_enter(shop: Flask, at_home: Page) -> None:
    order_id = order_in(shop, "placed")
    at_home.keyboard.press("Control+k")
    expect(at_home.get_by_role("dialog", name="Search")).to_be_visible()
    at_home.keyboard.type(order_id)
    # Before the results are there, too.
    at_home.keyboard.press("Enter")
    at_home.wait_for_url(f"**/orders/{order_id}")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_enter_before_the_results_are_there_opens_the_first_of_them(at_home: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    at_home.route("**/search?q=place*", hold)
    at_home.keyboard.press("Control+k")
    dialog = at_home.get_by_role("dialog", name="Search")
    expect(dialog.get_by_role("link", name="Place order")).to_be_visible()
    with at_home.expect_request("**/search?q=place+or*"):
        at_home.keyboard.type("place or")
        at_home.keyboard.press("Enter")
    expect(at_home).not_to_have_url(re.compile("/search"))
    held[-1].continue_()
    at_home.wait_for_url("**/commands/PlaceOrder")


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("answer", ["nothing", "error", "none"])
def test_enter_leads_to_the_search_page_where_the_palette_has_no_result(
    at_home: Page, answer: str
) -> None:
    if answer != "nothing":
        ends: dict[str, Callable[[Route], None]] = {
            "error": lambda route: route.fulfill(status=503),
            "none": lambda route: route.abort(),
        }
        at_home.route(
            "**/search?q=xyzzy",
            lambda route: (
                route.continue_() if route.request.is_navigation_request() else ends[answer](route)
            ),
        )
    at_home.keyboard.press("Control+k")
    at_home.keyboard.type("xyzzy")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url("**/search?q=xyzzy")
    expect(at_home.get_by_text("No results")).to_be_visible()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_palette_is_used_by_arrows_and_says_how_much_it_found(at_home: Page) -> None:
    at_home.keyboard.press("/")
    at_home.keyboard.type("place o")
    result = at_home.get_by_role("link", name="Place order")
    expect(result).to_be_visible()
    expect(at_home.locator("#palette [data-announcer]")).to_have_text("1 result")
    at_home.keyboard.press("ArrowDown")
    expect(result).to_be_focused()
    at_home.keyboard.type("r")
    expect(at_home.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
    expect(at_home.get_by_role("dialog").get_by_role("searchbox")).to_have_value("place or")
    at_home.keyboard.press("Escape")
    expect(at_home.get_by_role("dialog", name="Search")).to_have_count(0)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_search_is_in_sight_on_a_phone(signed_in: Callable[..., Page]) -> None:
    page = signed_in("admin", viewport={"width": 390, "height": 800})
    page.goto("/orders")
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.get_by_role("dialog", name="Search").get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("link", name="Orders g o")).to_be_visible()
