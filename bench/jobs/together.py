"""Two people at the same order."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from bench.clients.chromium import PATIENCE_MS
from bench.jobs.desk import Desk, numbers, order
from cqrs_app.areas.orders.commands import ApproveOrder


def approved_by_another(desk: Desk) -> None:
    """A colleague approves the order: the page shows it without anything being done."""
    who, order_id = desk.who, f"D{next(numbers)}"
    desk.do(order(order_id))
    who.open(f"/orders/{order_id}")
    who.begin()
    desk.do(ApproveOrder(order_id=order_id))
    expect(_status(who.page)).not_to_have_text("Needs approval", timeout=PATIENCE_MS)


def approve_while_held(desk: Desk) -> None:
    """A colleague holds the order before the approval is carried out: the hold wins, and whoever
    approved is told."""
    who, colleague, order_id = desk.who, desk.colleague, f"G{next(numbers)}"
    desk.do(order(order_id))
    colleague.open(f"/orders/{order_id}")
    colleague.press("h")
    dialog = colleague.page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("other")
    who.open(f"/orders/{order_id}")
    who.begin()
    who.press("a")
    who.page.get_by_role("button", name="Undo").wait_for()
    colleague.press("Control+Enter")
    for page in (who.page, colleague.page):
        expect(_status(page)).to_have_text("On hold", timeout=PATIENCE_MS)
    expect(who.page.locator("#order .notice")).to_contain_text(
        "was not carried out", timeout=PATIENCE_MS
    )
    expect(who.page.locator("#timeline")).to_contain_text("Put on hold by ben", timeout=PATIENCE_MS)


def hold_what_was_approved(desk: Desk) -> None:
    """A colleague's approval is carried out while the form is filled in: the form says what
    changed, and the order is held all the same."""
    who, colleague, order_id = desk.who, desk.colleague, f"H{next(numbers)}"
    desk.do(order(order_id))
    colleague.open(f"/orders/{order_id}")
    who.open(f"/orders/{order_id}")
    who.begin()
    who.press("h")
    dialog = who.page.get_by_role("dialog")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    colleague.press("a")
    expect(_status(colleague.page)).not_to_have_text("Needs approval", timeout=PATIENCE_MS)
    who.type("o")
    who.press("Control+Enter")
    expect(dialog.locator(".notice")).to_contain_text("Order approved by ben")
    who.click(dialog.get_by_role("button", name="anyway"))
    for page in (who.page, colleague.page):
        expect(_status(page)).to_have_text("On hold", timeout=PATIENCE_MS)


def _status(page: Page) -> Locator:
    return page.locator("#order .status").first
