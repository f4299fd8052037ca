"""Pages hold still in a real Chromium: layout shifts, long texts, narrow screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.areas.orders.given import line, place
from tests.interfaces.web.pages.conftest import catch_up, order_in

MOST_SHIFT = 0.1
"""Cumulative layout shift up to which a page is good: https://web.dev/articles/cls."""
A_LINE = 26
"""Pixels: a mark under the title of a narrow page."""
OBSERVER = """
window.shift = 0;
window.moved = [];
const named = ({node, previousRect, currentRect}) =>
    `${node?.nodeName}#${node?.id}.${node?.className} ${previousRect.y} to ${currentRect.y}`;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        window.shift += entry.value;
        window.moved.push(`${entry.value}: ${entry.sources.map(named).join(", ")}`);
    }
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def kind() -> str:
    """How a page moves does not depend on its database."""
    return "sqlite"


def moved_too_much(page: Page) -> list[str]:
    """What moved by itself on the page so far, if that is too much."""
    return page.evaluate("window.moved") if page.evaluate("window.shift") >= MOST_SHIFT else []


@pytest.fixture
def watched(signed_in: Callable[..., Page]) -> Callable[[int], Page]:
    """`watched(width)`: a page that adds up what moves on it."""

    def open_page(width: int) -> Page:
        page = signed_in("admin", viewport={"width": width, "height": 900})
        page.add_init_script(OBSERVER)
        return page

    return open_page


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_pages_load_and_poll(
    shop: Flask, watched: Callable[[int], Page], width: int
) -> None:
    page = watched(width)
    addresses = ("/", "/orders", "/customers", "/system", f"/orders/{order_in(shop, 'shipped')}")
    for address in addresses:
        page.goto(address)
        page.wait_for_timeout(1_000)
        assert not moved_too_much(page), address


@pytest.mark.parametrize("width", [390, 1440])
def test_lines_and_timeline_stay_when_somebody_else_approves_the_order_on_screen(
    shop: Flask, watched: Callable[[int], Page], width: int
) -> None:
    order_id = order_in(shop, "placed")
    page = watched(width)
    page.goto(f"/orders/{order_id}")
    before = tops_of(page)
    kernel: Kernel = services_of(shop).kernel
    context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
    kernel.commands.execute(ApproveOrder(order_id=order_id), context)
    catch_up(shop)
    expect(page.locator("#timeline")).to_contain_text("ada")
    page.wait_for_timeout(1_000)
    for name, top in tops_of(page).items():
        assert abs(top - before[name]) <= A_LINE, name
    assert not moved_too_much(page)


def test_no_column_of_the_list_moves_while_a_row_is_pending(
    shop: Flask, watched: Callable[[int], Page]
) -> None:
    page = watched(1440)
    page.goto("/orders")
    before = widths_of(page)
    order_id = order_in(shop, "placed")
    page.get_by_role("link", name=order_id, exact=True).focus()
    page.keyboard.press("a")
    expect(page.locator(f"#row-{order_id}")).to_contain_text("pending: Order approved")
    assert widths_of(page) == before


def test_every_column_of_an_orders_lines_is_in_sight(
    shop: Flask, watched: Callable[[int], Page]
) -> None:
    page = watched(1200)
    page.goto(f"/orders/{order_in(shop, 'placed')}")
    for width in (1200, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        hidden = "lines => lines.scrollWidth - lines.clientWidth"
        assert page.locator(".order-lines .scroll").evaluate(hidden) <= 0, width


def widths_of(page: Page) -> list[float]:
    """How wide each column of the list is."""
    return page.locator("#orders-table thead th").evaluate_all(  # type: ignore[no-any-return]
        "heads => heads.map(head => head.getBoundingClientRect().width)"
    )


def tops_of(page: Page) -> dict[str, float]:
    """How far from the top of the page the lines and the timeline begin."""
    return {
        selector: page.locator(selector).evaluate("element => element.getBoundingClientRect().top")
        for selector in (".order-lines", "#timeline")
    }


@pytest.mark.parametrize("width", [320, 390])
def test_long_numbers_names_and_words_break_on_narrow_screens(
    shop: Flask, watched: Callable[[int], Page], width: int
) -> None:
    number, name = "N" * 60, "Wolfeschlegelsteinhausenbergerdorff" * 5
    kernel: Kernel = services_of(shop).kernel
    context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
    lines = line(sku="S" * 60, what="W" * 250, quantity=1, price="1")
    kernel.commands.execute(place(number, lines, customer_name=name), context)
    catch_up(shop)
    page = watched(width)
    for address in (f"/orders/{number}", f"/orders?q={number}", f"/search?q={'N' * 20}", "/"):
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address}: {wide} px wider than the screen"


def test_a_form_with_lines_is_laid_out_before_its_lines_are_there(
    client_of: Callable[[str], FlaskClient],
) -> None:
    """A browser paints what has arrived: the width must not depend on what follows."""
    client = client_of("admin")
    for command in ("PlaceOrder", "RecordCreditNote", "RegisterCustomer"):
        form = BeautifulSoup(client.get(f"/commands/{command}").text, "html.parser")
        wide = form.select(".narrow.with-lines .form-sections.with-lines")
        assert bool(wide) == bool(form.select(".line-fields")) == (command != "RegisterCustomer")
