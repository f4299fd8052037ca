"""The console in a real Chromium with real workers: orders are approved even if processes die."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Page, expect

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD, order_in, process_of, wait_until
from tests.services.stores import on_one_database


def test_an_operator_approves_an_order_and_sees_every_panel_hold_it(
    shop: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    services_of(shop).accounts.create("olga", "operator", PASSWORD)
    order_id = order_in(shop, "placed")
    page = new_page(base_url=serve(shop))
    page.goto("/")
    page.get_by_label("Name").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(order_id)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Approve order").click()
    expect(page.locator("#order .pending").first).to_be_visible()
    with process_of(shop, "worker"):
        expect(page.locator("#order .pending")).to_have_count(0)
    expect(page.locator("#order")).to_contain_text("Approved by olga")
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
        page.get_by_role("button", name="Approve order").click()
        expect(page.locator("#order .pending").first).to_be_visible()
        with process_of(shop, "sweep"):
            expect(page.locator("#order .pending")).to_have_count(0)


def _alive(kernel: Kernel, kind: str) -> int:
    with kernel.engines.write.connect() as connection:
        return sum(e.alive for e in presence.seen(connection, kernel.clock()) if e.kind == kind)


@on_one_database
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
