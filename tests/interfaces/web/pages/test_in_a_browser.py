"""The console in a real Chromium with real workers: the approve flow, every page, every size."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.platform.webhooks.commands import AddWebhook, TestWebhook
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD, order_in, process_of, wait_until

PAGES = (
    *("/", "/orders", "/customers", "/credit-notes", "/reports", "/imports", "/log", "/system"),
    *("/webhooks", "/webhooks/warehouse"),
    *("/tokens", "/tokens/new", "/commands/PlaceOrder", "/commands/AddWebhook"),
    *("/catalogue", "/catalogue/PlaceOrder", "/catalogue/problems", "/queries/ListOrders"),
)


@pytest.fixture
def signed_in(
    shop: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> Callable[..., Page]:
    """`signed_in("supervisor", **options)`: a page of somebody who has typed a password."""
    address = serve(shop)

    def sign_in(role: str, **options: object) -> Page:
        accounts = services_of(shop).accounts
        if role not in {each.name for each in accounts.list()}:
            accounts.create(role, role, PASSWORD)
        page = new_page(base_url=address, **options)
        page.goto("/")
        page.get_by_label("Name").fill(role)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    return sign_in


def test_an_operator_approves_an_order_and_sees_every_panel_hold_it(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    order_id = order_in(shop, "placed")
    page = signed_in("operator")
    page.keyboard.press("/")
    page.keyboard.type(order_id)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=order_id, exact=True).click()
    page.get_by_role("link", name="Approve order").first.click()
    page.get_by_role("dialog").get_by_role("button", name=f"Approve order {order_id}").last.click()
    expect(page.locator("#order .pending").first).to_be_visible()
    with process_of(shop, "worker"):
        expect(page.locator("#order .pending")).to_have_count(0, timeout=30_000)
    expect(page.locator("#order")).to_contain_text("Approved by operator")
    expect(page).to_have_url(re.compile(f"/orders/{order_id}$"))
    page.goto(f"/log?stream={order_id}")
    expect(page.locator("main")).to_contain_text("Approve order")


def test_a_worker_killed_in_the_middle_loses_nothing_and_the_sweep_goes_on(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    order_id = order_in(shop, "placed")
    kernel: Kernel = services_of(shop).kernel
    with process_of(shop, "worker") as worker:
        wait_until(lambda: _alive(kernel, "worker") == 1)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        page = signed_in("operator")
        page.goto(f"/orders/{order_id}")
        page.get_by_role("link", name="Approve order").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name=f"Approve order {order_id}").last.click()
        expect(page.locator("#order .pending").first).to_be_visible()
        with process_of(shop, "sweep"):
            expect(page.locator("#order .pending")).to_have_count(0, timeout=30_000)


def _alive(kernel: Kernel, kind: str) -> int:
    with kernel.engines.write.connect() as connection:
        return sum(e.alive for e in presence.seen(connection, kernel.clock()) if e.kind == kind)


def test_the_dialog_opens_closes_and_gives_the_focus_back(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    page = signed_in("operator")
    page.goto(f"/orders/{order_in(shop, 'placed')}")
    opener = page.get_by_role("link", name="Hold order").first
    opener.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def add_webhook(shop: Flask) -> None:
    """A webhook that has been tried, with a long address."""
    kernel: Kernel = services_of(shop).kernel
    command = AddWebhook(
        webhook_id="warehouse",
        url=f"https://127-0-0-1.invalid/{'hooks/' * 30}?shop=1",
        event_types=("OrderPlaced", "OrderShipped", "ShippingAddressChanged"),
        description="Picking lists for the house across the road.",
    )
    context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
    kernel.commands.execute(command, context)
    kernel.commands.execute(TestWebhook(webhook_id="warehouse"), replace(context, command_id="t"))
    for name in kernel.registry.projections:
        kernel.runner.advance(name)
    services_of(shop).kernel.tasks["webhooks"].answer("warehouse")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_fits_and_is_accessible(
    shop: Flask,
    signed_in: Callable[..., Page],
    accessibility_violations: Callable[[Page], list[str]],
    page_problems: list[str],
    width: int,
    scheme: str,
) -> None:
    add_webhook(shop)
    page = signed_in("admin", viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = (f"/orders/{order_in(shop, 'shipped')}", "/customers/C1001", "/orders?q=nothing-such")
    faults = []
    for address in (*PAGES, *shown):
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            faults.append(f"{address}: {wide} px wider than the screen")
    assert not page_problems, "\n".join(page_problems)
    for address in (*PAGES, *shown):
        page.goto(address)
        faults += [f"{address}: {each}" for each in accessibility_violations(page)]
    # The checker tries styles on that the policy of the pages forbids; that is its own affair.
    page.wait_for_timeout(500)
    page_problems.clear()
    assert not faults, "\n".join(faults)
