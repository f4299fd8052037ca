"""After an action the focus can be seen, and one message says what was done."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.platform.catalogue.examples import example_of
from cqrs_app.services import services_of
from tests.interfaces.web.conftest import token_in
from tests.interfaces.web.pages.conftest import order_in
from tests.interfaces.web.pages.test_every_message import REGISTRY, flat
from tests.interfaces.web.pages.test_keyboard import UNSEEN

HEARD = """
window.heard = [];
document.addEventListener("DOMContentLoaded", () => {
    const region = document.getElementById("announcer");
    new MutationObserver(() => window.heard.push(region.textContent))
        .observe(region, {childList: true, characterData: true, subtree: true});
});
"""


@pytest.fixture
def kind() -> str:
    """Where the focus is does not depend on the database."""
    return "sqlite"


@pytest.fixture
def page(signed_in: Callable[..., Page]) -> Page:
    """A page that keeps what its live region says."""
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.add_init_script(HEARD)
    return page


def test_every_action_says_what_became_of_it(
    shop: Flask, client_of: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the page that the operator is led to, or with what it changed on the page on screen."""
    receipt = Receipt(
        command_id="id",
        status="succeeded",
        stream="order-1",
        version=1,
        events=("ThingHappened",),
        duration_ms=1.0,
    )
    commands = services_of(shop).kernel.commands
    for name in ("dispatch", "postpone"):
        monkeypatch.setattr(commands, name, lambda *given: receipt)
    client, order_id = client_of("admin"), order_in(shop, "placed")
    token = token_in(client.get("/account").text)
    silent = []
    for name, cls in REGISTRY.commands.items():
        if cls.declaration.permission not in ROLES["admin"]:
            # Only the console itself sends it.
            continue
        sent = dict(flat(example_of(cls))) | {"csrf_token": token, "command_id": f"command-{name}"}
        if "order_id" in sent:
            sent["order_id"] = order_id
        for shown in ("", f"/orders/{order_id}", "/orders"):
            page = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{shown}"}
            answer = client.post(f"/commands/{name}", data=sent, headers=page if shown else {})
            assert answer.status_code in (200, 204, 303), (name, answer.text)
            said = unquote(answer.headers.get("Announce", ""))
            with client.session_transaction() as cookie:
                flashed = [text for kind, text in cookie.pop("_flashes", ()) if kind == "good"]
            heard = [text for text in (said, *flashed) if text.startswith("Thing happened.")]
            if len(heard) != 1:
                silent.append(f"{name} {shown}")
    assert not silent


def test_a_page_that_an_action_leads_to_begins_with_what_was_done(page: Page) -> None:
    page.goto("/product?sku=LMP-010")
    page.get_by_role("link", name="Receive stock").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=reference]").fill("D-1")
    dialog.locator("[name=quantity]").fill("5")
    page.keyboard.press("Control+Enter")
    notice = page.get_by_text("Stock received. Lists update in a few seconds.")
    expect(notice).to_be_visible()
    focused = page.locator(":focus")
    expect(focused).to_have_attribute("role", "status")
    expect(focused).to_contain_text("Stock received.")
    assert not page.evaluate(UNSEEN)
    page.keyboard.press("Tab")
    assert not page.evaluate(UNSEEN)


def test_a_change_on_the_order_on_screen_is_said_once_and_the_focus_returns(
    page: Page, shop: Flask
) -> None:
    page.goto(f"/orders/{order_in(shop, 'placed')}")
    page.locator("#more-actions summary").click()
    page.locator("#do-ChangeShippingAddress").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=address-line1]").fill("9 New Road")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("Shipping address changed.")
    said = [each for each in page.evaluate("window.heard") if each]
    assert said == ["Shipping address changed."]
    assert not page.evaluate(UNSEEN)
    expect(page.locator("#order :focus")).to_have_count(1)


def test_an_action_whose_button_goes_leaves_the_focus_on_the_order(page: Page, shop: Flask) -> None:
    page.goto(f"/orders/{order_in(shop, 'placed')}")
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=reason]").select_option("address_check")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("Order held.")
    expect(page.locator("#order :focus")).to_have_count(1)
    assert not page.evaluate(UNSEEN)
