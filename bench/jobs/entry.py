"""An order is entered."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from bench.clients.chromium import PATIENCE_MS, Operator
from bench.jobs.desk import Desk
from cqrs_app.platform.demo.catalogue import PRODUCTS

LINES = 12
MISTYPED, ZERO, REPEATED = 4, 7, 11
"""The rows with an unknown SKU, with a quantity of 0, and with the product of the first row."""


def place_with_mistakes(desk: Desk) -> None:
    """Twelve lines, three of them with a mistake; all are corrected and the order is placed."""
    who = desk.who
    skus = [sku for sku, *_ in PRODUCTS[:LINES]]
    who.open("/commands/PlaceOrder")
    expect(who.page.locator("[name=customer_id]")).to_be_focused()
    who.begin()
    _choose(who, "C1001")
    who.click(_field(who, 0, "sku"))
    for row, sku in enumerate(skus):
        if row:
            who.press("Enter")
        _enter(who, row, skus[0] if row == REPEATED else sku)
    for row in (MISTYPED, REPEATED):
        who.click(_field(who, row, "sku"))
        who.press("Control+a")
        _choose(who, skus[row])
    who.press("Control+Enter")
    refused = who.page.locator(".notice-bad", has_text="Nothing saved").get_by_role("link")
    expect(refused).to_have_text([f"Line {ZERO + 1}, Quantity"], timeout=PATIENCE_MS)
    expect(_field(who, ZERO, "quantity")).to_be_focused()
    who.press("Control+a", "2", "Control+Enter")
    who.page.wait_for_url("**/orders/*")
    items = who.page.get_by_role("region", name=f"Lines {LINES}").get_by_role("rowheader")
    expect(items).to_contain_text([*skus, "Total"])


def _enter(who: Operator, row: int, sku: str) -> None:
    expect(_field(who, row, "sku")).to_be_focused()
    if row == MISTYPED:
        who.type(f"{sku}X")
        note = who.page.locator(f"#lines-{row}-sku-note")
        expect(note).to_contain_text("Not in the product list", timeout=PATIENCE_MS)
        who.press("Tab", "Tab")
    else:
        _choose(who, sku)
    expect(_field(who, row, "quantity")).to_be_focused()
    who.type("0" if row == ZERO else "2")


def _choose(who: Operator, value: str) -> None:
    """Typed in full and taken from the choices, which fills in what follows from it."""
    who.type(value)
    chosen = f".choices-list:not([hidden]) [aria-selected=true][data-value='{value}']"
    expect(who.page.locator(chosen)).to_be_visible(timeout=PATIENCE_MS)
    who.press("Enter")


def _field(who: Operator, row: int, name: str) -> Locator:
    return who.page.locator(f"[name=lines-{row}-{name}]")
