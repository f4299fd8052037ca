"""In a browser: the columns of a file are chosen and its orders shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.services.browser import COLOURS, Violations

ORDERS = b"Order,Date,Country,SKU,Qty,Price,State\n7,2026-03-01,FR,MUG,2,12.50,sent\n"


@pytest.fixture
def kind() -> str:
    """How a page looks does not depend on its database."""
    return "sqlite"


@pytest.mark.parametrize("width", [390, 1440])
def test_the_columns_of_a_file_are_chosen_on_an_accessible_page(
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    page = signed_in("admin", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page.goto("/imports")
    page.get_by_label("Kind of file").select_option("columns")
    file = {"name": "orders.csv", "mimeType": "text/csv", "buffer": ORDERS}
    page.get_by_label("File", exact=True).set_input_files([file])
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_role("heading", name="Columns of orders.csv")).to_be_visible()
    page.get_by_label("Currency, the same in every row").fill("EUR")
    page.get_by_label("sent", exact=True).select_option("shipped")
    page.locator("#preview").get_by_role("button", name="Update preview").click()
    preview = page.locator("#preview table").first
    expect(preview).to_contain_text("25.00")
    expect(preview).to_contain_text("shipped")
    assert not page_problems
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not list(accessibility_violations(page))
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert not list(accessibility_violations(page, COLOURS))
