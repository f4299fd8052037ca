"""Pages that follow what happens, in a real Chromium: when polls wait, and what goes wrong."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, Request, expect

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.polling import poll_every
from cqrs_app.interfaces.web.shell import LOOK_EVERY_SECONDS
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.interfaces.web.pages.conftest import catch_up, order_in, process_of
from tests.processes.running import FLASK

SEVERAL_POLLS = 10_000
APPROVED = re.compile("Processing|Awaiting payment")
"""The stage of an order that was just approved, as soon as fulfilment has begun."""
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
    """The URLs requested from now on but /banners. Polls are added when they are sent."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if is_panel(request) else None)
    return asked


def is_panel(request: Request) -> bool:
    return not request.url.endswith("/banners")


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
    mark = page.locator("#order .fresh").first
    expect(mark.get_by_text("Refresh failed")).to_be_visible()
    page.unroute("**/*")
    after(page)
    expect(mark.get_by_text("Refresh failed")).not_to_be_visible()


@pytest.mark.parametrize("address", ["/orders", "/catalogue", "/"])
def test_every_page_says_that_the_console_does_not_answer_until_it_does(
    open_page: Callable[[str], Page], address: str
) -> None:
    page = open_page(address)
    notice = page.locator("#not-followed")
    expect(notice).not_to_be_visible()
    lost = page.get_by_text("The console does not answer.")
    page.route("**/*", lambda route: route.abort())
    after(page)
    expect(lost).to_be_visible()
    for mark in page.locator("main .fresh").all():
        expect(mark.locator(".fresh-known")).not_to_be_visible()
    page.unroute("**/*")
    away = "<p data-error-text>The database is away.</p>"
    page.route("**/*", lambda route: route.fulfill(status=503, body=away, content_type="text/html"))
    after(page)
    expect(notice).to_contain_text("The database is away. This page shows what it received last.")
    page.unroute("**/*")
    after(page)
    expect(notice).not_to_be_visible()


def test_a_server_that_takes_requests_and_answers_none_is_noticed(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.route("**/*", lambda route: None)
    page.clock.fast_forward(SEVERAL_POLLS)
    page.clock.fast_forward(2 * SEVERAL_POLLS)
    expect(page.get_by_text("The console does not answer.")).to_be_visible()
    expect(page.locator("#order .fresh").first).to_contain_text("Refresh failed")


def test_a_task_that_gets_no_answer_says_so_while_it_waits(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.get_by_role("link", name="Add note").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("Mind the dog.")
    page.route("**/commands/*", lambda route: None)
    dialog.get_by_role("button", name="Add note").last.click()
    page.clock.fast_forward(6_000)
    expect(dialog.get_by_role("alert").first).to_contain_text("has not answered yet")


def test_an_open_page_learns_of_a_fault_by_itself(
    shop: Flask, open_page: Callable[[str], Page]
) -> None:
    page = open_page("/catalogue")
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.read.begin() as connection:
        cursors_in("read").set_state(connection, "order_timeline", "failed")
    time.sleep(LOOK_EVERY_SECONDS)
    after(page)
    expect(page.locator("#banners")).to_contain_text("order_timeline stopped")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_command_in_another_process_changes_an_open_page_says_so_and_keeps_the_focus(
    shop: Flask, order_id: str, signed_in: Callable[..., Page], width: int
) -> None:
    page = signed_in("supervisor", viewport={"width": width, "height": 900})
    page.goto(f"/orders/{order_id}")
    page.get_by_role("button", name="Approve order").focus()
    with process_of(shop, "worker"):
        approve = ("command", "ApproveOrder", "--order-id", order_id, "--as", "supervisor")
        done = subprocess.run(
            [*FLASK, *approve],
            env=environment_of(shop),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        expect(page.locator("#announcer")).to_contain_text(APPROVED)
    expect(page.locator("#order-heading")).to_be_focused()
    expect(page.locator("#order .pending")).to_have_count(0)
    expect(page.get_by_role("button", name="Approve order")).to_have_count(0)


def test_a_change_that_no_worker_has_shown_yet_is_marked_on_an_open_page(
    shop: Flask, order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    kernel: Kernel = services_of(shop).kernel
    context = Context(actor=Actor("ben", ROLES["admin"]), channel="test")
    kernel.commands.execute(ApproveOrder(order_id=order_id), context)
    # What is pending is polled too often for the network to be idle.
    page.clock.fast_forward(SEVERAL_POLLS)
    expect(page.locator("#order .pending").first).to_contain_text("by ben")
    catch_up(shop)
    page.clock.fast_forward(SEVERAL_POLLS)
    expect(page.locator("#order .pending")).to_have_count(0)


def test_a_list_says_what_has_changed_since_and_shows_it_when_asked(
    shop: Flask, order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page("/orders")
    catch_up(shop)  # the account of who opened it is an event
    kernel: Kernel = services_of(shop).kernel
    context = Context(actor=Actor("ben", ROLES["admin"]), channel="test")
    kernel.commands.execute(ApproveOrder(order_id=order_id), context)
    after(page)
    expect(page.locator("#order-changes")).to_contain_text("1 change not shown yet")
    catch_up(shop)
    after(page)
    page.get_by_role("link", name="1 change, show").click()
    expect(page.locator(f"#row-{order_id}")).to_contain_text(APPROVED)


@pytest.mark.parametrize("address", ["/reports", "/customers", "/customers/-/accounts"])
def test_an_open_page_says_that_it_can_be_refreshed(
    shop: Flask, order_id: str, open_page: Callable[[str], Page], address: str
) -> None:
    page = open_page(address)
    mark = page.locator("main .fresh").first
    kernel: Kernel = services_of(shop).kernel
    context = Context(actor=Actor("ben", ROLES["admin"]), channel="test")
    kernel.commands.execute(ApproveOrder(order_id=order_id), context)
    catch_up(shop)
    expect(mark.get_by_role("link", name="Refresh")).to_have_count(0)
    after(page)
    mark.get_by_role("link", name="Refresh").click()
    expect(mark.get_by_role("link", name="Refresh")).to_have_count(0)
    page.route("**/*", lambda route: route.abort())
    after(page)
    expect(mark.get_by_text("Refresh failed")).to_be_visible()


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
    page.get_by_role("link", name="Add note").first.click()
    page.get_by_role("dialog").get_by_label("Note").fill("Mind the dog.")
    send = page.get_by_role("dialog").get_by_role("button", name="Add note").last
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


def test_a_page_that_is_current_says_once_as_of_when(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    marks = page.locator("main").get_by_text("as of")
    expect(marks).to_have_count(1)
    shown = page.locator("[data-page-fresh] time")
    first = shown.get_attribute("datetime")
    after(page)
    expect(shown).not_to_have_attribute("datetime", str(first))


def test_a_panel_that_is_behind_says_so_itself_and_the_page_too(
    shop: Flask, order_id: str, open_page: Callable[[str], Page]
) -> None:
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.read.begin() as connection:
        cursors_in("read").set_state(connection, "order_timeline", "paused")
    page = open_page(f"/orders/{order_id}")
    expect(page.locator("[data-page-fresh]")).to_contain_text("updates paused")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("updates paused")
    expect(page.get_by_role("region", name="Lines")).not_to_contain_text("paused")


def test_nothing_moves_under_a_pointer_on_its_way_to_a_button(
    order_id: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"/orders/{order_id}")
    page.get_by_role("link", name="Hold order").hover()
    asked = polls_of(page)
    page.evaluate("""() => {
        const button = document.querySelector("#do-HoldOrder");
        const move = () => new PointerEvent("pointermove", { bubbles: true });
        setInterval(() => button.dispatchEvent(move()), 200);
    }""")
    page.clock.run_for(6_000)
    page.wait_for_timeout(200)
    assert not asked


def test_a_page_asks_often_while_something_moves_then_less_and_less() -> None:
    now = datetime.now(UTC)
    ages = (None, 1, 11, 61, 100_000)
    every = [poll_every(None if age is None else now - timedelta(seconds=age)) for age in ages]
    assert every == ["5s", "500ms", "2s", "5s", "5s"]
