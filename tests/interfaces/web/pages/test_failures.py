"""The Failures pages: what a supervisor sees and clicks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import update

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.store.tables import events
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in, order_in, process_of
from tests.platform.failures.conftest import Console
from tests.services.browser import COLOURS, Violations
from tests.services.stores import on_one_database


def damage_approval(app: Flask, order_id: str, *, damaged: bool) -> None:
    """Break the stored event of an order's approval, or put it right."""
    kernel: Kernel = services_of(app).kernel
    payload = '{"damaged' if damaged else f'{{"order_id":"{order_id}"}}'
    mine = (events.c.stream == f"order-{order_id}") & (events.c.type == "OrderApproved")
    with kernel.engines.write.begin() as connection:
        connection.execute(update(events).where(mine).values(payload=payload))


def with_a_stuck_order(app: Flask) -> str:
    """The id of an order whose approval no subscription could apply until now."""
    order_id, kernel = order_in(app, "placed"), services_of(app).kernel
    actor = Actor("ada", ROLES["admin"])
    kernel.commands.execute(ApproveOrder(order_id=order_id), Context(actor=actor, channel="test"))
    damage_approval(app, order_id, damaged=True)
    Console(app).follow()
    damage_approval(app, order_id, damaged=False)
    return order_id


def test_a_supervisor_finds_and_retries_a_stuck_order_in_five_clicks(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    order_id = with_a_stuck_order(shop)
    page = signed_in("supervisor", viewport={"width": 1440, "height": 900})
    page.goto("/")
    clicked: list[str] = []

    def click(thing: Locator) -> None:
        clicked.append(thing.inner_text())
        thing.click()

    with process_of(shop, "worker"):
        click(page.locator(".side nav").get_by_role("link", name="Failures"))
        click(page.get_by_role("link", name="1 order stuck in orders at “Order approved”"))
        expect(page.locator("#failure")).to_contain_text(f"Order {order_id}")
        click(page.get_by_role("link", name="Retry 1"))
        preview = f"Order {order_id} in orders: 1 event would be applied."
        expect(page.locator("dialog .effects")).to_contain_text(preview)
        click(page.get_by_role("button", name="Retry failure"))
        expect(page.locator("#failure")).to_contain_text("Resolved")
    assert len(clicked) <= 5
    assert services_of(shop).kernel.runner.cursors()["orders"].parked == 0


def test_the_pages_work_without_scripts_and_say_what_is_open(shop: Flask) -> None:
    order_id = with_a_stuck_order(shop)
    client = client_in(shop, "supervisor")
    listed = client.get("/failures").get_data(as_text=True)
    assert "1 order stuck in orders at “Order approved”" in listed
    [failure] = [each for each in Console(shop).failures() if each.place == "orders"]
    address = f"/failures/{failure.failure_id}"
    shown = client.get(address).get_data(as_text=True)
    for words in ("Retry 1", "Resolve", "Ignore", "Copy as a test", f"Order {order_id}", "EUR"):
        assert words in shown, words
    assert "SkipParkedEvent" not in shown
    assert "SkipParkedEvent" in client_in(shop, "admin").get(address).get_data(as_text=True)
    assert "open</span>" in client.get("/failures?state=resolved").get_data(as_text=True)
    assert "No resolved failures" in client.get("/failures?state=resolved").get_data(as_text=True)
    assert client.get("/failures?state=nonsense").status_code == 422
    assert client.get("/failures/0123456789ab").status_code == 404
    assert client_in(shop, "operator").get("/failures").status_code == 403


@on_one_database
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_fit_and_are_accessible(
    shop: Flask,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    with_a_stuck_order(shop)
    [failure] = [each for each in Console(shop).failures() if each.place == "orders"]
    page = signed_in("admin", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    one = f"/failures/{failure.failure_id}"
    form = f"/commands/RetryFailure?failure_id={failure.failure_id}&streams=1"
    faults: list[str] = []
    for address in ("/failures", "/failures?state=resolved", one, f"{one}/test", form):
        page.emulate_media(color_scheme="light")
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        faults += [f"{address}: {wide} px wider than the screen"] if wide > 0 else []
        faults += page_problems
        faults += [f"{address}: {each}" for each in accessibility_violations(page)]
        page.emulate_media(color_scheme="dark")
        faults += [f"{address}: {each}" for each in accessibility_violations(page, COLOURS)]
        page_problems.clear()
    assert not faults, "\n".join(faults)


def test_system_lists_the_open_failures(shop: Flask) -> None:
    with_a_stuck_order(shop)
    panel = client_in(shop, "supervisor").get("/system/failures").get_data(as_text=True)
    assert "1 order stuck in orders at “Order approved”" in panel
