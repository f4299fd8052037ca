"""Orders that wait for stock."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from bench.clients.chromium import PATIENCE_MS
from bench.jobs.desk import Desk, numbers, order
from cqrs_app.areas.inventory.commands import AddProduct, ExpectStock
from cqrs_app.areas.orders.commands import ApproveOrder


def receive_stock(desk: Desk) -> None:
    """An expected delivery arrives: received on the product's page, until the orders have it."""
    who, run = desk.who, next(numbers)
    sku, waiting = f"W{run}", [f"F{run}-{number}" for number in range(2)]
    due = (desk.kernel.clock() + timedelta(days=1)).date()
    desk.do(
        AddProduct(sku=sku, description="Copper kettle"),
        ExpectStock(sku=sku, reference=f"PO-{run}", quantity=len(waiting), due=due),
        *(order(each, sku=sku) for each in waiting),
        *(ApproveOrder(order_id=each) for each in waiting),
    )
    desk.search(sku)
    who.press("Enter")
    who.page.wait_for_url(f"**/product?sku={sku}")
    wanting = who.page.get_by_role("region", name="Orders waiting for stock")
    for each in waiting:
        expect(wanting).to_contain_text(each, timeout=PATIENCE_MS)
    who.click(who.page.get_by_role("link", name="Receive", exact=True))
    expect(who.page.get_by_role("dialog").get_by_label("Quantity")).to_have_value("2")
    who.press("Control+Enter")
    reserved = who.page.get_by_role("region", name="Reserved for orders")
    for each in waiting:
        expect(reserved).to_contain_text(each, timeout=PATIENCE_MS)
    expect(wanting).to_have_count(0, timeout=PATIENCE_MS)
