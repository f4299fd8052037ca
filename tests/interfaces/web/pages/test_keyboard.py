"""The console by keyboard, in a real Chromium: single keys, lists, menus, dialogs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

PLACES = {
    "h": "/",
    "o": "/orders",
    "c": "/customers",
    "l": "/log",
    "s": "/system",
    "w": "/webhooks",
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


def test_a_letter_long_after_g_goes_nowhere(orders: Page) -> None:
    orders.keyboard.press("g")
    orders.clock.fast_forward(1_300)
    orders.keyboard.press("h")
    orders.wait_for_timeout(100)
    expect(orders).to_have_url("/orders")


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
    orders.get_by_label("Single-key shortcuts are on").uncheck()
    orders.keyboard.press("Escape")
    for _ in range(2):
        orders.keyboard.press("j")
        expect(orders.locator("main [data-row]:focus")).to_have_count(0)
        orders.reload()
    orders.get_by_role("button", name="Keyboard shortcuts").click()
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
