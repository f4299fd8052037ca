"""What was typed is never lost: in a real Chromium, narrow and wide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Locator, Page, expect

from cqrs_app.areas.orders.commands import ApproveOrder, CancelOrder
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD, client_in, order_in

BEN = Actor("ben", ROLES["admin"])
TEXT = "Please ring twice"
SIZES = {390: {"width": 390, "height": 844}, 1440: {"width": 1440, "height": 900}}


@pytest.fixture
def kind() -> str:
    """A form does not depend on its database."""
    return "sqlite"


@pytest.fixture
def order_id(shop: Flask) -> str:
    return order_in(shop, "placed")


@pytest.fixture
def open_page(signed_in: Callable[..., Page]) -> Callable[..., Page]:
    """`open_page(address, width)`: as a supervisor sees it."""

    def at(address: str, width: int = 1440) -> Page:
        page = signed_in("supervisor", viewport=SIZES[width])
        page.goto(address)
        return page

    return at


def begin(page: Page, label: str = "Add note") -> Locator:
    """The dialog of this command, with a text typed into it."""
    page.get_by_role("link", name=label).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Note").fill(TEXT)
    return dialog


def execute(app: Flask, command: Command) -> None:
    kernel: Kernel = services_of(app).kernel
    kernel.commands.execute(command, Context(actor=BEN, channel="test"))


def end_session(app: Flask, page: Page) -> None:
    """As if it had been idle for too long: the browser still has its cookie."""
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer
    [cookie] = page.context.cookies()
    services_of(app).sessions.revoke(signer.loads(cookie["value"])["token"])


@pytest.mark.parametrize("width", SIZES)
def test_a_session_that_ended_is_begun_again_in_the_dialog_and_the_text_is_there(
    shop: Flask, order_id: str, open_page: Callable[..., Page], width: int
) -> None:
    page = open_page(f"/orders/{order_id}", width)
    dialog = begin(page)
    end_session(shop, page)
    dialog.get_by_role("button", name="Add note").last.click()
    expect(dialog).to_contain_text("nothing was sent")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    dialog.get_by_label("Name").fill("supervisor")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value(TEXT)
    dialog.get_by_role("button", name="Add note").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#order .pending").first).to_contain_text("supervisor")
    # The page behind goes on in the new session.
    if width == 1440:
        page.get_by_role("button", name="Sign out").first.click()
        expect(page.get_by_label("Password")).to_be_visible()


def test_a_page_that_was_signed_out_is_not_left_with_text_on_it(
    shop: Flask, order_id: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/commands/AddOrderNote?order_id={order_id}")
    page.clock.install()
    page.reload()
    page.get_by_role("textbox", name="Note").fill(TEXT)
    end_session(shop, page)
    page.clock.fast_forward(6_000)
    expect(page.get_by_text("You are signed out")).to_be_visible()
    expect(page.get_by_role("textbox", name="Note")).to_have_value(TEXT)
    page.get_by_role("textbox", name="Note").fill("")
    page.clock.fast_forward(6_000)
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_click_beside_the_dialog_closes_it_only_while_nothing_is_typed(
    order_id: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    dialog = begin(page)
    page.mouse.click(5, 5)
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value(TEXT)
    dialog.get_by_role("textbox", name="Note").fill("")
    page.mouse.click(5, 5)
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("width", SIZES)
def test_what_was_typed_is_there_when_the_form_opens_again(
    order_id: str, open_page: Callable[..., Page], width: int
) -> None:
    page = open_page(f"/orders/{order_id}", width)
    begin(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    page.get_by_role("link", name="Add note").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value(TEXT)
    expect(dialog.get_by_text("is restored")).to_be_visible()
    dialog.get_by_role("button", name="Discard it").click()
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value("")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Add note").first.click()
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value("")
    expect(dialog.get_by_text("is restored")).not_to_be_visible()


def test_what_was_sent_or_given_up_is_not_restored(
    order_id: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    dialog = begin(page)
    dialog.locator("[data-close]").click()
    begin(page).get_by_role("button", name="Add note").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0
    page.goto(f"/commands/AddOrderNote?order_id={order_id}")
    page.get_by_role("textbox", name="Note").fill(TEXT)
    page.get_by_role("button", name="Add note").last.click()
    expect(page).to_have_url(f"{page.url.split('/orders')[0]}/orders/{order_id}")
    assert page.evaluate("sessionStorage.length") == 0


def test_rows_are_restored_with_the_form(open_page: Callable[..., Page]) -> None:
    page = open_page("/commands/PlaceOrder")
    page.get_by_role("button", name="Add line").click()
    page.locator("[name=lines-0-sku]").fill("LMP-010")
    page.locator("[name=lines-1-sku]").fill("MUG-020")
    page.locator("[name=customer_name]").fill("Ada")
    page.goto("/orders")
    page.goto("/commands/PlaceOrder")
    expect(page.locator("[name=lines-1-sku]")).to_have_value("MUG-020")
    expect(page.locator("[name=lines-0-sku]")).to_have_value("LMP-010")
    expect(page.locator("[name=customer_name]")).to_have_value("Ada")


def test_signing_out_removes_what_was_typed(order_id: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"/commands/AddOrderNote?order_id={order_id}")
    page.get_by_role("textbox", name="Note").fill(TEXT)
    assert page.evaluate("sessionStorage.length") == 1
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_what_was_typed_is_gone_once_somebody_else_signs_in(
    shop: Flask, order_id: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    begin(page)
    page.reload()
    assert TEXT in page.evaluate("JSON.stringify(sessionStorage)")
    # Of somebody whose name begins like that of who signs in.
    page.evaluate("sessionStorage.setItem('draft:operator2 AddOrderNote', '{\"pairs\": []}')")
    name = shop.config["SESSION_COOKIE_NAME"]
    other = client_in(shop, "operator").get_cookie(name)
    assert other is not None
    page.context.add_cookies([{"name": name, "value": other.value, "url": page.url}])
    page.reload()
    assert page.evaluate("JSON.stringify(sessionStorage)") == "{}"


def test_a_conflict_keeps_the_text_and_offers_what_is_possible(
    shop: Flask, order_id: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    dialog = begin(page, "Hold order")
    execute(shop, ApproveOrder(order_id=order_id))
    dialog.get_by_label("Reason").select_option(index=1)
    dialog.get_by_role("button", name="Hold order").last.click()
    expect(dialog.get_by_role("alert").last).to_contain_text("by ben")
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value(TEXT)
    execute(shop, CancelOrder(order_id=order_id, reason=CancelReason.DUPLICATE))
    dialog.get_by_role("button", name="anyway").click()
    impossible = dialog.get_by_role("button", name="Hold order").last
    expect(impossible).to_be_disabled()
    expect(dialog.get_by_role("textbox", name="Note")).to_have_value(TEXT)
    dialog.get_by_role("link", name="Discard my change").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
