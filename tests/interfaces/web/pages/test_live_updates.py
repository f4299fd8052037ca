"""Pages that follow what happens, in a real Chromium: when polls wait, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.interfaces.web.pages.conftest import order_in

SEVERAL_POLLS = 10_000
"""Milliseconds."""


@pytest.fixture
def kind() -> str:
    """What a poll is answered on each database is in test_polling."""
    return "sqlite"


@pytest.fixture
def order_id(shop: Flask) -> str:
    return order_in(shop, "placed")


@pytest.fixture
def open_page(signed_in: Callable[..., Page]) -> Callable[[str], Page]:
    """`open_page(address)`: as a supervisor sees it, on a clock that can be moved."""

    def at(address: str) -> Page:
        page = signed_in("supervisor", viewport={"width": 1440, "height": 900})
        page.clock.install()
        page.goto(address)
        return page

    return at


def polls_of(page: Page) -> list[str]:
    """The URLs requested from now on. Polls are added when they are sent."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def after(page: Page, milliseconds: int = SEVERAL_POLLS) -> None:
    """Advance the page's clock and wait for the responses to its requests."""
    page.clock.fast_forward(milliseconds)
    page.wait_for_load_state("networkidle")


def test_a_poll_waits_while_a_dialog_is_open(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.get_by_role("link", name="Hold order").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_load_state("networkidle")
    asked = polls_of(page)
    after(page)
    assert not asked
    page.keyboard.press("Escape")
    after(page)
    assert asked


def test_a_poll_waits_while_somebody_works_in_the_panel(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.evaluate("document.querySelector('#order').append(document.createElement('input'))")
    page.locator("#order > input").focus()
    asked = polls_of(page)
    after(page)
    assert not asked
    page.locator("#order > input").blur()
    after(page)
    assert asked


def test_a_panel_says_that_it_could_not_be_refreshed_until_it_can(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.route("**/*", lambda route: route.abort())
    after(page)
    expect(page.locator("#order")).to_have_attribute("data-refresh", "failed")
    page.unroute("**/*")
    after(page)
    expect(page.locator("#order")).not_to_have_attribute("data-refresh", "failed")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "The console could not be reached."),
        ((502, "<p>Bad gateway</p>"), "The console answered with an error (502)."),
        ((503, "<p data-error-text>The database is away.</p>"), "The database is away."),
    ],
)
def test_a_task_that_could_not_be_sent_says_why_and_can_be_sent_again(
    order_id: str,
    open_page: Callable[[str], Page],
    answer: tuple[int, str] | None,
    sentence: str,
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.get_by_role("link", name="Approve order").first.click()
    send = page.get_by_role("dialog").get_by_role("button", name="Approve order").last
    expect(send).to_be_visible()
    page.route(
        "**/commands/*",
        lambda route: (
            route.fulfill(status=answer[0], content_type="text/html", body=answer[1])
            if answer
            else route.abort()
        ),
    )
    send.click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(sentence)
    page.unroute("**/commands/*")
    send.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#order .pending").first).to_contain_text("supervisor")


def test_a_dialog_closes_by_its_button_and_gives_the_focus_back(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    opener = page.get_by_role("link", name="Hold order").first
    opener.click()
    page.get_by_role("dialog").locator("[data-close]").first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
