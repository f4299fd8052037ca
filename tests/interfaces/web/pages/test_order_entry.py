"""An order is entered by typing: in a real Chromium, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.customers.commands import ChangeCustomerAddress, DeactivateCustomer
from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView
from cqrs_app.areas.inventory.commands import SetProductPrice
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.demo.catalogue import PRODUCTS
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, client_in, order_in
from tests.interfaces.web.pages.test_without_scripts import fields
from tests.interfaces.web.pages.test_without_scripts import page as page_of
from tests.services.browser import Violations
from tests.services.statements import statements

ADA = Actor("ada", ROLES["admin"])
ADDRESS = "/commands/PlaceOrder"
MOST_TABS = 6
FEW = 3
"""Statements: one, where nothing is in the cache."""
HOME = ChangeCustomerAddress(
    customer_id="C1001", line1="Mill Lane 4", postal_code="T12", city="Cork"
)


@pytest.fixture
def kind() -> str:
    """How a form works does not depend on its database."""
    return "sqlite"


@pytest.fixture
def form(shop: Flask, signed_in: Callable[..., Page]) -> Page:
    """The empty form, as an operator sees it; customer C1001 has an address."""
    execute(shop, HOME)
    page = signed_in("operator", viewport={"width": 1440, "height": 900})
    page.goto(ADDRESS)
    return page


def execute(app: Flask, command: Command) -> None:
    kernel: Kernel = services_of(app).kernel
    kernel.commands.execute(command, Context(actor=ADA, channel="test"))
    catch_up(app)


def placed(app: Flask, order_id: str) -> OrderView:
    kernel: Kernel = services_of(app).kernel
    context = QueryContext(actor=ADA, strong=True)
    found: OrderView = kernel.queries.ask(GetOrder(order_id=order_id), context).value
    return found


def name_of(app: Flask, customer_id: str) -> str:
    soup = page_of(client_in(app, "admin"), f"/customers/{customer_id}")
    return str(soup.h1.get_text()) if soup.h1 else ""


def field(page: Page, name: str) -> str:
    return page.locator(f"[name={name}]").input_value()


@contextmanager
def no_request_of_the_page(page: Page) -> Iterator[None]:
    """The form is not sent or asked for again, and the page stays where it was."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before = page.evaluate("scrollY")
    yield
    assert not [url for url in asked if "/commands/" in url and "/effects" not in url]
    assert page.evaluate("scrollY") == before


def pick(page: Page, text: str, value: str) -> None:
    """Type this and take the choice with this value."""
    page.keyboard.type(text)
    option = page.locator(f".choices-list:not([hidden]) [role=option][data-value={value}]")
    expect(option).to_be_visible()
    while option.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def test_an_order_is_entered_by_typing_alone(shop: Flask, form: Page) -> None:
    name = name_of(shop, "C1001")
    expect(form.locator("[name=customer_id]")).to_be_focused()
    pick(form, name.split()[0], "C1001")
    assert field(form, "customer_name") == field(form, "shipping_address-name") == name
    assert field(form, "shipping_address-city") == "Cork"
    assert field(form, "country") == ""
    order_id = field(form, "order_id")
    form.locator("[name=lines-0-sku]").focus()
    with no_request_of_the_page(form):
        pick(form, "reading lamp", "LMP-010")
        expect(form.locator("[name=lines-0-quantity]")).to_be_focused()
        assert field(form, "lines-0-unit_price") == "64.00"
        form.keyboard.type("2")
        form.keyboard.press("Enter")
        expect(form.locator("[name=lines-1-sku]")).to_be_focused()
        pick(form, "STK-555", "STK-555")
        form.keyboard.type("100")
        expect(form.locator("[data-sum]")).to_have_text("EUR\u00a0129.25")
        form.keyboard.press("Enter")
    form.keyboard.press("Control+Enter")
    expect(form).to_have_url(re.compile(f"/orders/{order_id}$"))
    order = placed(shop, order_id)
    assert (order.customer_id, order.country) == ("C1001", order.shipping_address.country)
    assert [(line.sku, line.quantity) for line in order.lines] == [("LMP-010", 2), ("STK-555", 100)]


def test_few_tabs_lead_from_the_customer_to_the_first_product(form: Page) -> None:
    expect(form.locator("[name=customer_id]")).to_be_focused()
    for _ in range(MOST_TABS):
        form.keyboard.press("Tab")
        if form.evaluate("document.activeElement.name") == "lines-0-sku":
            return
    raise AssertionError(f"more than {MOST_TABS} tabs")


def test_the_total_follows_discounts_shipping_and_the_currency(form: Page) -> None:
    form.locator("[name=lines-0-sku]").focus()
    pick(form, "LMP-010", "LMP-010")
    form.locator("[name=lines-0-quantity]").fill("2")
    form.locator("[name=lines-0-unit_price]").fill("64")
    form.locator("[name=lines-0-discount]").fill("8.50")
    total = form.locator("[data-sum]")
    expect(total).to_have_text("EUR\u00a0119.50")
    form.get_by_text("Discounts, shipping and tax", exact=True).first.click()
    for number, (kind, amount) in enumerate((("shipping", "5"), ("discount", "24.50"))):
        form.get_by_role("button", name="Add adjustment").click()
        form.locator(f"[name=adjustments-{number}-kind]").select_option(kind)
        form.locator(f"[name=adjustments-{number}-amount]").fill(amount)
    expect(total).to_have_text("EUR\u00a0100.00")
    form.locator("[name=currency]").fill("JPY")
    expect(total).to_have_text("JPY\u00a0100")
    form.get_by_role("button", name="Remove line 1").last.click()
    expect(total).to_have_text("JPY\u00a095")


def test_lines_are_added_and_removed_without_a_request_or_a_jump(form: Page) -> None:
    with no_request_of_the_page(form):
        for number in (1, 2):
            form.get_by_role("button", name="Add line").click()
            expect(form.locator(f"[name=lines-{number}-sku]")).to_be_focused()
        form.get_by_role("button", name="Remove line 2").click()
        expect(form.get_by_role("button", name="Remove line 2")).to_be_focused()
    expect(form.locator(".line-fields tbody tr")).to_have_count(2)
    expect(form.get_by_role("combobox", name="SKU, line 2")).to_have_attribute(
        "name", "lines-2-sku"
    )


def test_enter_never_sends_a_form_with_lines(form: Page) -> None:
    with no_request_of_the_page(form):
        for name in ("customer_name", "lines-0-sku", "lines-0-quantity"):
            form.locator(f"[name={name}]").focus()
            form.keyboard.press("Enter")
    expect(form).to_have_url(re.compile(f"{ADDRESS}$"))


def test_what_cannot_be_is_said_while_typing(shop: Flask, form: Page) -> None:
    execute(shop, DeactivateCustomer(customer_id="C1002", reason="Asked us to stop."))
    form.locator("[name=customer_id]").focus()
    form.keyboard.type("C1002")
    form.keyboard.press("Tab")
    expect(form.locator("#customer_id-note")).to_contain_text("Deactivated")
    form.locator("[name=lines-0-sku]").focus()
    form.keyboard.type("NO-SUCH")
    expect(form.locator("#lines-0-sku-note")).to_contain_text("Not in the product list")
    form.locator("[name=lines-0-sku]").fill("")
    form.keyboard.type("LMP-010")
    form.keyboard.press("Escape")
    form.locator("[name=lines-0-quantity]").fill("99999")
    form.keyboard.press("Tab")
    expect(form.locator("#lines-0-sku-note")).to_contain_text("Only")


def test_what_somebody_wrote_is_not_filled_in_over(form: Page) -> None:
    form.locator("[name=shipping_address-city]").fill("Lille")
    form.locator("[name=customer_id]").focus()
    pick(form, "C1001", "C1001")
    assert field(form, "customer_name")
    assert field(form, "shipping_address-city") == "Lille"
    assert field(form, "shipping_address-line1") == ""
    form.locator("[name=lines-0-unit_price]").fill("1.50")
    form.locator("[name=lines-0-sku]").focus()
    pick(form, "LMP-010", "LMP-010")
    assert field(form, "lines-0-unit_price") == "1.50"
    assert field(form, "lines-0-description") == "Brass reading lamp"


def test_another_product_in_the_same_row_has_its_own_price(shop: Flask, form: Page) -> None:
    execute(shop, SetProductPrice(sku="MUG-101", currency="EUR"))
    form.locator("[name=lines-0-sku]").focus()
    pick(form, "LMP-010", "LMP-010")
    assert field(form, "lines-0-unit_price") == "64.00"
    form.locator("[name=lines-0-sku]").fill("")
    form.locator("[name=lines-0-sku]").focus()
    pick(form, "MUG-101", "MUG-101")
    assert field(form, "lines-0-unit_price") == ""


def test_mistakes_are_listed_with_links_to_their_fields(form: Page) -> None:
    form.locator("[name=lines-0-sku]").fill("NO-SUCH")
    form.locator("[name=lines-0-quantity]").fill("0")
    form.get_by_role("button", name="Place order").last.click()
    summary = form.locator(".notice-bad", has_text="Nothing saved")
    expect(summary.get_by_role("link")).to_have_text(["Line 1, Quantity", "Line 1, Unit price"])
    summary.get_by_role("link", name="Line 1, Quantity").click()
    expect(form.locator("[name=lines-0-quantity]")).to_be_focused()


def test_without_scripts_one_button_fills_in_what_follows(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    execute(shop, HOME)
    client = client_of("operator")
    values = fields(page_of(client, ADDRESS))
    values |= {"customer_id": "C1001", "lines-0-sku": "LMP-010", "lines-0-quantity": "3"}
    answer = client.post(ADDRESS, data=values | {"fill-in": "1"})
    soup = BeautifulSoup(answer.get_data(), "html.parser")
    filled = fields(soup)
    assert filled["shipping_address-city"] == "Cork"
    assert (filled["lines-0-description"], filled["lines-0-unit_price"]) == (
        "Brass reading lamp",
        "64.00",
    )
    assert "192.00" in soup.get_text()
    assert "available" in soup.find(id="lines-0-sku-note").get_text()
    assert client.post(ADDRESS, data=filled).status_code == 303


def test_a_customer_in_the_address_fills_the_form(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    execute(shop, HOME)
    client = client_of("operator")
    link = page_of(client, "/customers/C1001").find("a", href=re.compile(ADDRESS))
    filled = fields(page_of(client, link["href"]))
    assert filled["customer_id"] == "C1001"
    assert filled["shipping_address-line1"] == "Mill Lane 4"


def test_nobody_looks_up_what_they_may_not_see(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("viewer")
    found = client.get("/lookups/product?q=lamp&currency=EUR").get_data(as_text=True)
    assert "Brass reading lamp" in found
    assert client.get("/lookups/nothing?q=a").status_code == 404
    assert client_of("nobody").get("/lookups/customer?q=a").status_code in (302, 303, 401)


def test_a_list_without_a_row_shows_only_how_to_add_one(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    page = signed_in("supervisor")
    page.goto(f"/commands/ChangeOrderLines?order_id={order_in(shop, 'placed')}")
    added = page.locator("#added")
    expect(added.get_by_text("Unit price", exact=True)).to_be_hidden()
    expect(added.locator("[data-sum]")).to_be_hidden()
    added.get_by_role("button", name="Add line").click()
    expect(added.get_by_role("combobox", name="SKU, line 1")).to_be_focused()
    expect(added.locator("[data-sum]")).to_be_visible()


def test_a_line_that_is_added_to_an_order_has_the_price_in_its_currency(
    shop: Flask, signed_in: Callable[..., Page], client_of: Callable[[str], FlaskClient]
) -> None:
    order_id = order_in(shop, "placed")
    currency = placed(shop, order_id).currency
    execute(shop, SetProductPrice(sku="MUG-101", currency=currency, price=Decimal("17.25")))
    address = f"/commands/ChangeOrderLines?order_id={order_id}"
    page = signed_in("supervisor")
    page.goto(address)
    page.locator("#added").get_by_role("button", name="Add line").click()
    pick(page, "MUG-101", "MUG-101")
    assert field(page, "added-0-unit_price") == "17.25"
    client = client_of("supervisor")
    values = fields(page_of(client, address))
    values |= {"added-0-sku": "MUG-101", "added-0-quantity": "3", "fill-in": "1"}
    answer = client.post(address, data=values)
    filled = fields(BeautifulSoup(answer.get_data(), "html.parser"))
    assert filled["added-0-unit_price"] == "17.25"


def test_many_lines_are_looked_up_with_one_question(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("operator")
    catch_up(shop)  # the account is an event, and how old it is would be asked for each answer
    values = fields(page_of(client, ADDRESS)) | {"fill-in": "1"}
    skus = [sku for sku, _, _ in PRODUCTS]

    def sent(count: int) -> int:
        lines = {f"lines-{number}-sku": skus[number % len(skus)] for number in range(count)}
        with statements() as found:
            answer = client.post(ADDRESS, data=values | lines)
        assert answer.get_data(as_text=True).count("field-note tone-") >= count
        return len(found)

    sent(1)
    assert sent(60) <= FEW


def test_in_a_dialog_escape_closes_the_suggestions_first(signed_in: Callable[..., Page]) -> None:
    page = signed_in("supervisor")
    page.goto("/customers/C1001")
    page.get_by_role("link", name="Record credit note").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".line-fields tbody tr")).to_have_count(1)
    dialog.locator("[name=lines-0-sku]").focus()
    page.keyboard.type("mug")
    expect(dialog.locator("[role=option]").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog.locator("[role=option]").first).to_be_hidden()
    expect(dialog).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(dialog.locator("[role=option]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(dialog.locator("[name=lines-0-quantity]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_form_in_use_fits_and_is_accessible(
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    page = signed_in("operator", viewport={"width": width, "height": 900})
    page.goto(ADDRESS)
    page.locator("[name=lines-0-sku]").focus()
    pick(page, "lamp", "LMP-010")
    page.get_by_role("button", name="Add line").click()
    page.keyboard.type("mug")
    expect(page.locator("#lines-1-sku-choices [role=option]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    box = page.locator(".choices-list:visible").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    faults = list(accessibility_violations(page))
    # The checker tries styles on that the policy of the pages forbids.
    page_problems.clear()
    assert not faults


def test_every_demo_product_has_a_price(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    text = page_of(client_of("viewer"), "/products").get_text(" ")
    assert all(f"EUR\u00a0{price}" in text for _, _, price in PRODUCTS)


def test_a_product_on_two_lines_is_noted(form: Page, shop: Flask) -> None:
    sku = PRODUCTS[0][0]
    for line in (0, 1):
        form.locator(f"[name=lines-{line}-sku]").fill(sku)
        if line == 0:
            form.get_by_role("button", name="Add line").click()
    notes = form.locator("[data-also]")
    expect(notes.nth(1)).to_have_text("Also on line 1")
    expect(notes.nth(0)).to_be_empty()
    form.get_by_role("button", name="Remove line 1", exact=True).click()
    expect(notes).to_have_text([""])
    # Without scripts, when the form comes back.
    client = client_in(shop, "operator")
    values = fields(page_of(client, ADDRESS)) | {"lines-0-sku": sku, "lines-1-sku": sku}
    back = client.post(ADDRESS, data=values)
    soup = BeautifulSoup(back.text, "html.parser")
    assert [note.get_text() for note in soup.select("[data-also]")][:2] == ["", "Also on line 1"]
