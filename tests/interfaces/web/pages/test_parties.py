"""An order's amounts, tags and customer on its page, and customers who were merged."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.customers import commands as customers
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import BillingAddress, OrderAdjustment, OrderLine
from cqrs_app.areas.orders.words import AdjustmentKind
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import services_of
from tests.areas.customers.test_erasure import run
from tests.interfaces.web.pages.conftest import catch_up
from tests.interfaces.web.pages.test_without_scripts import fields, page, send
from tests.services.browser import Violations


@pytest.fixture
def kind() -> str:
    return "sqlite"


def act(shop: Flask, *commands: Command) -> None:
    for command in commands:
        run(services_of(shop).kernel, command)
    catch_up(shop)


@pytest.fixture
def order(shop: Flask) -> str:
    """A guest's order with everything that an order may cost."""
    lamp = OrderLine(sku="LAMP", quantity=4, unit_price=Decimal(10), discount=Decimal(4))
    kinds = ("discount", "shipping", "tax", "fee")
    act(
        shop,
        do.PlaceOrder(
            order_id="W-1",
            customer_name="Ana Lima",
            country="FR",
            currency="EUR",
            lines=(lamp,),
            adjustments=tuple(
                OrderAdjustment(kind=AdjustmentKind(kind), label="Spring", amount=Decimal(number))
                for number, kind in enumerate(kinds, start=1)
            ),
            billing_address=BillingAddress(name="Lima SARL", city="Lille", country="FR"),
        ),
        do.AddOrderTag(order_id="W-1", tag="gift"),
    )
    return "W-1"


def test_the_foot_of_the_lines_adds_up(order: str, client_of: Callable[[str], FlaskClient]) -> None:
    soup = page(client_of("viewer"), f"/orders/{order}")
    rows = [row.get_text(" ", strip=True) for row in soup.select("tfoot tr")]
    assert rows[:-1] == [
        "Subtotal EUR 40.00",
        "Line discounts \N{MINUS SIGN} EUR 4.00",
        "Discount ( Spring ) \N{MINUS SIGN} EUR 1.00",
        "Shipping ( Spring ) EUR 2.00",
        "Tax ( Spring ) EUR 3.00",
        "Fee ( Spring ) EUR 4.00",
    ]
    assert rows[-1].endswith("EUR 44.00")
    assert "Lima SARL" in soup.get_text()


def test_a_tag_leads_to_its_orders_and_is_taken_off(
    shop: Flask, order: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("operator")
    chip = page(client, f"/orders/{order}").select_one("ul[aria-label=Tags] li")
    assert chip
    listed, off = (str(link["href"]) for link in chip.select("a"))
    assert order in page(client, listed).get_text()
    assert send(client, off).status_code == 303
    catch_up(shop)
    assert not page(client, f"/orders/{order}").select("ul[aria-label=Tags]")
    assert "No orders match" in page(client, listed).get_text()
    assert not page(client_of("viewer"), f"/orders/{order}").select("a[href*=RemoveOrderTag]")


def test_amounts_are_entered_without_scripts(client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("operator")
    address = "/commands/PlaceOrder"
    values = fields(page(client, address)) | {"adjustments-add": "1"}
    answer = client.post(address, data=values)
    values = fields(BeautifulSoup(answer.get_data(), "html.parser"))
    values |= {"order_id": "W-2", "country": "France", "currency": "EUR"}
    values |= {"lines-0-sku": "A", "lines-0-quantity": "2", "lines-0-unit_price": "5"}
    values |= {"lines-0-discount": "1", "adjustments-0-kind": "tax", "adjustments-0-amount": "2"}
    assert client.post(address, data=values).status_code == 303
    assert "EUR 11.00" in " ".join(page(client, "/orders/W-2").get_text(" ").split())


def test_a_merged_customers_page_leads_to_the_kept_one(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    act(
        shop,
        customers.RegisterCustomer(customer_id="M1", name="Ana"),
        customers.RegisterCustomer(customer_id="M2", name="Ana Lima"),
        customers.MergeCustomers(customer_id="M1", into="M2"),
    )
    soup = page(client_of("operator"), "/customers/M1")
    assert soup.select_one(".notice a[href='/customers/M2']")
    assert not soup.select("a[href*=PlaceOrder]")


@pytest.mark.parametrize("width", [390, 1440])
def test_amounts_and_tags_fit_the_page(
    order: str,
    width: int,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
) -> None:
    browser = signed_in("admin", viewport={"width": width, "height": 900})
    browser.goto(f"/orders/{order}")
    expect(browser.get_by_role("list", name="Tags")).to_be_visible()
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert accessibility_violations(browser) == []
    if folder := os.environ.get("SCREENSHOTS"):
        browser.screenshot(path=f"{folder}/order-{width}.png", full_page=True)
        browser.goto("/commands/PlaceOrder")
        browser.screenshot(path=f"{folder}/place-{width}.png", full_page=True)
        browser.goto("/orders?tag=gift")
        browser.screenshot(path=f"{folder}/list-{width}.png", full_page=True)
