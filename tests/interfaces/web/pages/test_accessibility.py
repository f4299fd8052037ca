"""Every page fits its screen and keeps WCAG 2.2, narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.areas.orders.printing import PAPERS
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.platform.webhooks.commands import AddWebhook, TestWebhook
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, order_in
from tests.services.browser import COLOURS, Violations

PAGES = (
    *(
        "/",
        "/search",
        "/search?q=lamp",
        "/orders",
        "/workload",
        "/notifications",
        "/customers",
        "/credit-notes",
        "/reports",
        "/refunded-orders",
    ),
    *(
        "/products",
        "/payments",
        "/ledger",
        "/fulfilment",
        "/batches",
        "/batches/new",
        "/views",
        "/shift",
    ),
    *("/macros", "/macros/edit"),
    *("/expenses", "/expenses/-/flow"),
    *("/imports", "/log", "/system"),
    *("/system/subscriptions", "/system/processes", "/system/actions", "/system/questions"),
    "/system/rebuilds",
    *("/system/pages", "/system/storage", "/system/statistics?name=command_p95"),
    *("/webhooks", "/webhooks/warehouse"),
    *("/audit", "/tokens", "/tokens/new", "/commands/PlaceOrder", "/commands/AddWebhook"),
    *("/catalogue", "/catalogue/PlaceOrder", "/catalogue/problems", "/queries/ListOrders"),
    *("/customers/C1001", "/orders?q=nothing-such", "/account", "/account/password"),
    *("/account/authenticator", "/account/passkeys/new", "/confirm-identity"),
)


@pytest.fixture
def kind() -> str:
    """How a page looks does not depend on its database; test_routes asks for each on both."""
    return "sqlite"


def add_webhook(shop: Flask) -> None:
    """A webhook that has been tried, with a long address."""
    kernel: Kernel = services_of(shop).kernel
    command = AddWebhook(
        webhook_id="warehouse",
        url=f"https://hooks.example.com/{'hooks/' * 30}?shop=1",
        event_types=("OrderPlaced", "OrderShipped", "ShippingAddressChanged"),
        description="Picking lists for the house across the road.",
    )
    context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
    kernel.commands.execute(command, context)
    kernel.commands.execute(TestWebhook(webhook_id="warehouse"), replace(context, command_id="t"))
    catch_up(shop)
    kernel.tasks["webhooks"].answer("warehouse")
    kernel.tasks["webhooks"].join(60)


@pytest.mark.timeout(900)  # every page, in light and dark
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_fits_and_is_accessible(
    shop: Flask,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    add_webhook(shop)
    page = signed_in("admin", viewport={"width": width, "height": 900}, reduced_motion="reduce")

    def faults_of(address: str) -> Iterator[str]:
        page.emulate_media(color_scheme="light")
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            yield f"{wide} px wider than the screen"
        # The checker tries styles on that the policy of the pages forbids: its own affair.
        yield from page_problems
        yield from accessibility_violations(page)
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        yield from accessibility_violations(page, COLOURS)
        page_problems.clear()

    shipped, placed = order_in(shop, "shipped"), order_in(shop, "placed")
    addresses = (
        *PAGES,
        f"/orders/{shipped}",
        f"/orders/{shipped}/at/1",
        f"/commands/ShipOrder?order_id={placed}",
        f"/commands/CancelOrder?order_id={placed}",
        *(f"/print/{paper}?order={shipped}&order={placed}" for paper in PAPERS),
    )
    faults = [f"{address}: {fault}" for address in addresses for fault in faults_of(address)]
    assert not faults, "\n".join(faults)
