"""The console by keyboard, in a real Chromium: single keys, lists, menus, dialogs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.areas.orders.given import line, place
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, order_in

PLACES = {
    "h": "/",
    "o": "/orders",
    "c": "/customers",
    "r": "/reports",
    "f": "/fulfilment",
    "p": "/products",
    "y": "/payments",
    "d": "/expenses",
    "e": "/ledger",
    "a": "/batches",
    "n": "/notifications",
    "z": "/scheduled-exports",
    "v": "/approvals",
    "i": "/imports",
    "l": "/log",
    "j": "/alerts",
    "x": "/failures",
    "s": "/system",
    "w": "/webhooks",
    "k": "/audit",
    "t": "/tokens",
    "u": "/operators",
    "b": "/catalogue",
}


@pytest.fixture
def kind() -> str:
    """What a key does does not depend on the database."""
    return "sqlite"


@pytest.fixture
def orders(signed_in: Callable[..., Page]) -> Page:
    """The list of orders, as an admin sees it, on a clock that can be moved."""
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.clock.install()
    page.goto("/orders")
    return page


def focused(page: Page) -> str:
    """The text of what has the focus."""
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def test_g_and_a_letter_go_to_each_place(orders: Page) -> None:
    for letter, address in PLACES.items():
        orders.keyboard.press("g")
        orders.keyboard.press(letter)
        orders.wait_for_url(f"**{address}")
        expect(orders.get_by_role("link", name="Skip to content")).to_have_count(1)


def test_every_place_of_the_navigation_has_a_letter(orders: Page) -> None:
    links = orders.get_by_role("navigation", name="Main").get_by_role("link")
    addresses = {link.get_attribute("href") for link in links.all()}
    assert addresses == set(PLACES.values())


def test_g_shows_where_letters_lead_for_as_long_as_it_takes(orders: Page) -> None:
    orders.keyboard.press("g")
    places = orders.get_by_role("dialog", name="Go to")
    expect(places.get_by_role("link", name="h Home")).to_be_visible()
    orders.clock.fast_forward(60_000)
    orders.keyboard.press("Escape")
    expect(places).to_have_count(0)
    orders.keyboard.press("h")
    orders.wait_for_timeout(100)
    expect(orders).to_have_url("/orders")


def test_c_on_a_row_claims_its_order_and_releases_it(orders: Page) -> None:
    orders.keyboard.press("j")
    orders.keyboard.press("j")
    number = focused(orders)
    orders.keyboard.press("c")
    row = orders.locator(f"[id='row-{number}']")
    expect(row).to_contain_text("Claimed by")
    expect(row.locator("[data-row]")).to_be_focused()
    expect(orders.locator("main")).to_have_count(1)
    expect(orders).to_have_url(re.compile("/orders$"))
    orders.keyboard.press("c")
    expect(row).not_to_contain_text("Claimed by")


def test_a_place_that_the_role_cannot_see_is_not_gone_to(signed_in: Callable[..., Page]) -> None:
    page = signed_in("viewer")
    page.goto("/orders")
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_timeout(100)
    expect(page).to_have_url("/orders")


def test_j_and_k_walk_through_the_rows_and_enter_opens_one(orders: Page) -> None:
    rows = orders.locator("main [data-row]").all_text_contents()
    reached = []
    for key in "jjjkj":
        orders.keyboard.press(key)
        reached.append(focused(orders))
    assert reached == [rows[at] for at in (0, 1, 2, 1, 2)]
    for _ in rows:
        orders.keyboard.press("k")
    assert focused(orders) == rows[0]
    for _ in range(len(rows) + 2):
        orders.keyboard.press("j")
    assert focused(orders) == rows[-1]
    expect(orders.locator("main [data-row]").last).to_be_in_viewport()
    orders.keyboard.press("Enter")
    orders.wait_for_url(f"**/orders/{rows[-1]}")


def test_f_goes_to_the_filters_of_a_list(orders: Page) -> None:
    orders.keyboard.press("f")
    expect(orders.locator("#filter-country")).to_be_focused()
    orders.goto("/payments")
    orders.keyboard.press("f")
    expect(orders.locator("form.filters :focus")).to_have_count(1)
    orders.goto("/system")
    orders.keyboard.press("f")
    expect(orders.locator("body")).to_be_focused()


def test_slash_opens_the_search_and_what_is_typed_there_is_text(orders: Page) -> None:
    orders.keyboard.press("/")
    orders.keyboard.type("gojk?r/")
    expect(orders.get_by_role("dialog").get_by_role("searchbox")).to_have_value("gojk?r/")
    expect(orders.get_by_role("dialog")).to_have_count(1)
    expect(orders).to_have_url("/orders")


def test_a_key_with_ctrl_alt_or_meta_stays_the_browsers(orders: Page) -> None:
    for key in ("Control+j", "Alt+j", "Meta+j", "Control+r"):
        orders.evaluate(
            """key => {
                const [held, letter] = key.split("+");
                const options = {key: letter, bubbles: true, cancelable: true};
                options[{Control: "ctrlKey", Alt: "altKey", Meta: "metaKey"}[held]] = true;
                window.kept = document.body.dispatchEvent(new KeyboardEvent("keydown", options));
            }""",
            key,
        )
        assert orders.evaluate("window.kept"), f"{key} was taken"
        expect(orders.locator("main [data-row]:focus")).to_have_count(0)
    expect(orders.get_by_role("button", name="Pause live updates")).to_be_visible()


def test_the_list_of_shortcuts_opens_closes_and_takes_no_other_key(orders: Page) -> None:
    orders.keyboard.press("?")
    shortcuts = orders.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_be_visible()
    orders.keyboard.press("j")
    expect(orders.locator("main [data-row]:focus")).to_have_count(0)
    orders.keyboard.press("Escape")
    expect(shortcuts).to_have_count(0)
    orders.get_by_role("button", name="Keyboard shortcuts").click()
    expect(shortcuts).to_be_visible()


def test_shortcuts_that_are_switched_off_stay_off_until_switched_on(orders: Page) -> None:
    orders.keyboard.press("?")
    with orders.expect_response("**/account/shortcuts"):
        orders.get_by_label("Single-key shortcuts are on").uncheck()
    orders.keyboard.press("Escape")
    for _ in range(2):
        orders.keyboard.press("j")
        expect(orders.locator("main [data-row]:focus")).to_have_count(0)
        orders.reload()
    orders.get_by_role("button", name="Keyboard shortcuts").click()
    with orders.expect_response("**/account/shortcuts"):
        orders.get_by_label("Single-key shortcuts are on").check()
    orders.keyboard.press("Escape")
    orders.keyboard.press("j")
    expect(orders.locator("main [data-row]:focus")).to_have_count(1)


def test_the_theme_follows_the_system_until_one_is_chosen(orders: Page) -> None:
    root = orders.locator("html")
    for scheme in ("dark", "light"):
        orders.emulate_media(color_scheme=scheme)
        expect(root).to_have_attribute("data-theme", scheme)
    for before, after, shown in (
        ("auto", "light", "light"),
        ("light", "dark", "dark"),
        ("dark", "auto", "light"),
    ):
        orders.get_by_role("button", name=f"Theme: {before}.").click()
        expect(orders.get_by_role("button", name=f"Theme: {after}.")).to_be_visible()
        expect(root).to_have_attribute("data-theme", shown)
        orders.reload()
        expect(root).to_have_attribute("data-theme", shown)


class Keys:
    """Counts what is pressed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    """A console whose actions can be undone for as long as a test may take."""
    return make_shop(undo_seconds=60)


@pytest.fixture
def to_approve(shop: Flask, signed_in: Callable[..., Page]) -> Page:
    """The orders that need approval, of one country or more."""
    context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
    for number in range(MOST_APPROVED):
        services_of(shop).kernel.commands.execute(
            place(f"A{number}", line()), replace(context, command_id=f"place-{number}")
        )
    catch_up(shop)
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.goto("/orders?status=placed&sort=order_id&descending=0")
    assert page.locator("main [data-row]").count() >= MOST_APPROVED
    return page


MOST_APPROVED = 3
MOST_KEYS = 25


def test_three_orders_of_a_filtered_list_are_approved_with_few_keys(to_approve: Page) -> None:
    page, keys = to_approve, Keys(to_approve)
    names = page.locator("main [data-row]").all_text_contents()[:MOST_APPROVED]
    for name in names:
        keys.press("j", "a")
        expect(page.locator("#announcer")).to_contain_text(f"Approve order {name}: in ")
        expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()
        expect(page.locator(f"#row-{name}")).to_contain_text("pending: Approve order")
    assert keys.pressed <= MOST_KEYS
    page.keyboard.press("z")
    expect(page.locator("#announcer")).to_contain_text(f"{names[-1]}: undone.")
    expect(page.locator(f"#row-{names[-1]}")).not_to_contain_text("pending")
    expect(page.locator(f"#row-{names[0]}")).to_contain_text("pending")


def test_the_key_of_an_unavailable_action_says_why(shop: Flask, orders: Page) -> None:
    orders.goto(f"/orders/{order_in(shop, 'shipped')}")
    line = orders.get_by_role("button", name="Ship order")
    expect(line).to_have_count(0)
    orders.keyboard.press("s")
    announced = orders.locator("#announcer")
    expect(announced).to_contain_text("Ship order is unavailable. Order")
    expect(announced).to_contain_text("Nothing is left to ship.")
    expect(line).to_be_visible()
    expect(line).to_be_disabled()


def test_ctrl_enter_sends_a_form_from_any_of_its_fields(orders: Page) -> None:
    orders.locator("main [data-row]").first.click()
    orders.wait_for_url("**/orders/*")
    orders.keyboard.press("n")
    orders.get_by_role("dialog").get_by_role("textbox").first.fill("Called the customer.")
    orders.keyboard.press("Control+Enter")
    expect(orders.get_by_role("dialog")).to_have_count(0)
    expect(orders.locator("#order .pending")).to_contain_text("note added")


def test_a_form_that_is_sent_at_once_leaves_no_question_about_it_behind(orders: Page) -> None:
    said: list[str] = []
    orders.on("console", lambda message: said.append(message.text))
    orders.locator("main [data-row]").first.click()
    orders.wait_for_url("**/orders/*")
    asked: list[str] = []
    orders.on("request", lambda request: asked.append(request.url))
    orders.keyboard.press("n")
    orders.get_by_role("dialog").get_by_role("textbox").first.fill("Called the customer.")
    orders.keyboard.press("Control+Enter")
    expect(orders.get_by_role("dialog")).to_have_count(0)
    orders.clock.run_for(2_000)
    orders.wait_for_timeout(200)
    assert not [url for url in asked if "/effects" in url]
    assert not [text for text in said if "htmx" in text]


def test_j_and_k_go_to_the_next_and_previous_version_and_u_back(shop: Flask, orders: Page) -> None:
    order_id = order_in(shop, "delivered")
    for address, back in (
        (f"/orders/{order_id}/at/2", f"/orders/{order_id}"),
        (f"/past?stream=order-{order_id}&version=2", f"/orders/{order_id}"),
    ):
        orders.goto(address)
        for key, version in (("j", 3), ("k", 2), ("k", 1)):
            orders.keyboard.press(key)
            orders.wait_for_url(re.compile(f"(at/|version=){version}$"))
        orders.keyboard.press("u")
        orders.wait_for_url(f"**{back}")


def test_the_focus_is_never_on_something_that_cannot_be_seen(
    signed_in: Callable[..., Page],
) -> None:
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    for address in ("/", "/orders", "/customers", "/commands/PlaceOrder", "/account", "/search"):
        page.goto(address)
        for _ in range(60):
            page.keyboard.press("Tab")
            lost = page.evaluate(UNSEEN)
            assert not lost, f"{address}: {lost}"
    page.goto("/orders?status=placed")
    page.keyboard.press("j")
    page.keyboard.press("h")
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(6):
        assert not page.evaluate(UNSEEN)
        page.keyboard.press("Tab")


UNSEEN = """() => {
    const element = document.activeElement;
    if (element === document.body) return "";
    const {width, height} = element.getBoundingClientRect();
    return width > 2 && height > 2 && element.checkVisibility() ? "" : element.outerHTML;
}"""
