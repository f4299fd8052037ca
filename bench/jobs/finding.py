"""Something is found by what a customer says, and looked into or put right."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import expect

from bench.clients.chromium import PATIENCE_MS
from bench.jobs.desk import Desk, numbers, order
from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.orders.commands import CancelOrder, HoldOrder
from cqrs_app.areas.orders.types import ShippingAddress
from cqrs_app.areas.orders.words import CancelReason, HoldReason


def who_cancelled(desk: Desk) -> None:
    """Who cancelled an order, and what it was before: found by its number, then one entry back."""
    who, order_id = desk.who, f"C{next(numbers)}"
    desk.do(
        order(order_id),
        HoldOrder(order_id=order_id, reason=HoldReason.OTHER),
        CancelOrder(order_id=order_id, reason=CancelReason.FRAUD),
    )
    desk.search(order_id)
    who.press("Enter")
    who.page.wait_for_url(f"**/orders/{order_id}**")
    expect(who.page.locator("#timeline")).to_contain_text("bench", timeout=PATIENCE_MS)
    who.click(who.page.locator("#timeline").get_by_role("link", name="View").nth(1))
    expect(who.page.locator("main")).to_contain_text("On hold", timeout=PATIENCE_MS)


def correct_address(desk: Desk) -> None:
    """A customer writes that their last order goes to the wrong house: found by their e-mail."""
    who, run = desk.who, next(numbers)
    customer_id, email, last = f"J{run}", f"j{run}@example.com", f"E{run}-1"
    wrong = ShippingAddress(name="Ada Byron", line1="Mill Lane 4", city="Cork", country="Ireland")
    desk.do(
        RegisterCustomer(customer_id=customer_id, name="Ada Byron", email=email),
        *(
            replace(order(each), customer_id=customer_id, shipping_address=wrong)
            for each in (f"E{run}-0", last)
        ),
    )
    desk.search(email)
    expect(who.page.get_by_role("dialog").get_by_role("link").first).to_contain_text(last)
    who.press("Enter")
    who.page.wait_for_url(f"**/orders/{last}**")
    who.click("#more-actions summary")
    who.click(who.page.get_by_role("link", name="Change shipping address"))
    expect(who.page.get_by_role("dialog").get_by_label("Recipient")).to_be_focused()
    who.press("Tab")
    who.type("Mill Lane 14")
    who.press("Control+Enter")
    timeline = who.page.locator("#timeline")
    expect(timeline).to_contain_text("Mill Lane 14", timeout=PATIENCE_MS)
    who.press("n")
    expect(who.page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    who.type("By e-mail")
    who.press("Control+Enter")
    expect(timeline).to_contain_text("By e-mail", timeout=PATIENCE_MS)
