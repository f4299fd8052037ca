"""Actions without a form: sent at once, shown to everybody while they wait, undone by whoever may,
and carried out with no browser open."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import (
    catch_up,
    client_in,
    order_in,
    process_of,
    wait_until,
)
from tests.interfaces.web.pages.test_without_scripts import page
from tests.services.stores import on_one_database

LONG = 50


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    """A console in which nothing is carried out before the test says so."""
    return make_shop(undo_seconds=LONG)


@pytest.fixture
def order_id(shop: Flask) -> str:
    return order_in(shop, "placed")


def kernel_of(app: Flask) -> Kernel:
    kernel: Kernel = services_of(app).kernel
    return kernel


def press(client: FlaskClient, order_id: str, button: str) -> Any:
    """Press a button of the order's page that is a form, as a browser without scripts does."""
    for form in page(client, f"/orders/{order_id}").select("#order form"):
        pressed = form.find("button")
        if pressed and pressed.get_text().startswith(button):
            sent = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
            return client.post(form["action"], data=sent)
    raise AssertionError(f"there is no button {button}")


def approved(app: Flask, order_id: str) -> int:
    stored = kernel_of(app).store.events_of(f"order-{order_id}")
    return [each.type for each in stored].count("OrderApproved")


def words(client: FlaskClient, order_id: str) -> str:
    return " ".join(page(client, f"/orders/{order_id}").get_text(" ").split())


def make_due(app: Flask) -> None:
    due = update(command_log).where(command_log.c.not_before.is_not(None))
    with kernel_of(app).engines.write.begin() as connection:
        connection.execute(due.values(not_before=Lease(timedelta(seconds=-1)).end()))


@on_one_database
def test_approving_three_orders_over_a_value_in_one_country_takes_25_keystrokes_at_most(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    for number in range(4):
        line = OrderLine(sku="S1", quantity=1, unit_price=Decimal(900 + number))
        place = PlaceOrder(order_id=f"K{number}", country="Italy", currency="EUR", lines=(line,))
        context = Context(actor=Actor("test", ROLES["admin"]), channel="test")
        kernel_of(shop).commands.execute(place, context)
    catch_up(shop)
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.goto("/")
    # From Home to what needs approval, to the filters there, then each time a row and "a".
    keys = ["j", "Enter", "f", *"It", "Tab", "Tab", *"900", "Enter", *"jajaja"]
    assert len(keys) <= 25
    for number, key in enumerate(keys):
        page.keyboard.press(key)
        if number == 1:
            page.wait_for_url("**/orders?stage=needs_approval**")
        elif key == "Enter":
            expect(page.locator("main [data-row]")).to_have_text(["K0", "K1", "K2", "K3"])
        elif key == "a":
            accepted = keys[: number + 1].count("a")
            expect(page.locator("[data-undo-row]")).to_have_count(accepted)


def test_undoing_in_a_list_leads_back_to_it_with_its_filters(
    shop: Flask, order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client, address = client_of("operator"), "/orders?stage=needs_approval&limit=50"
    press(client, order_id, "Approve order")
    form = page(client, address).find(id=f"row-{order_id}").find("form")
    sent = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
    answer = client.post(form["action"], data=sent)
    assert (answer.status_code, answer.location) == (303, address)
    assert "Undo" not in page(client, address).find(id=f"row-{order_id}").get_text()


def test_an_approval_can_be_undone_for_as_long_as_no_worker_carries_it_out(
    shop: Flask, order_id: str
) -> None:
    client = client_in(shop, "operator")
    press(client, order_id, "Approve order")
    long_ago = kernel_of(shop).clock() - timedelta(hours=1)
    with kernel_of(shop).engines.write.begin() as connection:
        waits = update(command_log).where(command_log.c.not_before.is_not(None))
        connection.execute(waits.values(received_at=long_ago))
    assert press(client, order_id, "Undo").status_code == 303
    make_due(shop)
    Sweep(kernel_of(shop)).once()
    assert approved(shop, order_id) == 0


def test_an_approval_waits_and_everybody_who_opens_the_order_sees_it(
    shop: Flask, order_id: str
) -> None:
    maria, viewer = client_in(shop, "operator"), client_in(shop, "viewer")
    assert press(maria, order_id, "Approve order").status_code == 303
    assert approved(shop, order_id) == 0
    for client in (maria, viewer, client_in(shop, "admin")):
        assert "Approve order by operator in " in words(client, order_id)
    assert page(maria, f"/orders/{order_id}").select("button[data-undo]")
    assert not page(viewer, f"/orders/{order_id}").select("button[data-undo]")
    assert not page(maria, f"/orders/{order_id}").select("#do-ApproveOrder")


def test_the_sweep_carries_it_out_once_it_is_due(shop: Flask, order_id: str) -> None:
    client = client_in(shop, "operator")
    press(client, order_id, "Approve order")
    Sweep(kernel_of(shop)).once()
    assert approved(shop, order_id) == 0
    make_due(shop)
    Sweep(kernel_of(shop)).once()
    assert approved(shop, order_id) == 1
    assert "data-undo" not in client.get(f"/orders/{order_id}").text


def test_whoever_may_approve_can_undo_it_and_the_log_says_who_did(
    shop: Flask, order_id: str
) -> None:
    press(client_in(shop, "operator"), order_id, "Approve order")
    supervisor = client_in(shop, "supervisor")
    assert press(supervisor, order_id, "Undo").status_code == 303
    make_due(shop)
    Sweep(kernel_of(shop)).once()
    assert approved(shop, order_id) == 0
    assert page(supervisor, f"/orders/{order_id}").select("#do-ApproveOrder")
    with kernel_of(shop).engines.write.connect() as connection:
        found = select(command_log.c.operator, command_log.c.sentence).where(
            command_log.c.code == "withdrawn"
        )
        assert connection.execute(found).all() == [
            ("operator", "Undone by supervisor before it was carried out.")
        ]
    # It can be approved again.
    assert press(supervisor, order_id, "Approve order").status_code == 303


def test_who_may_not_approve_cannot_undo(shop: Flask, order_id: str) -> None:
    operator, viewer = client_in(shop, "operator"), client_in(shop, "viewer")
    press(operator, order_id, "Approve order")
    [form] = page(operator, f"/orders/{order_id}").select("form.undo")
    token = page(viewer, f"/orders/{order_id}").find(attrs={"name": "csrf_token"})
    assert token
    answer = viewer.post(form["action"], data={"csrf_token": token["value"]})
    assert answer.status_code == 403
    make_due(shop)
    Sweep(kernel_of(shop)).once()
    assert approved(shop, order_id) == 1


def test_an_undo_that_comes_too_late_says_so(shop: Flask, order_id: str) -> None:
    client = client_in(shop, "operator")
    press(client, order_id, "Approve order")
    [form] = page(client, f"/orders/{order_id}").select("form.undo")
    sent = {each["name"]: each["value"] for each in form.select("input[name]")}
    make_due(shop)
    Sweep(kernel_of(shop)).once()
    answer = client.post(str(form["action"]), data=sent, follow_redirects=True)
    assert "It was carried out or undone already. Nothing was changed." in answer.text
    assert approved(shop, order_id) == 1
    assert client.post("/log/nothing/undo", data=sent).status_code == 404


def test_an_order_that_changed_meanwhile_is_not_approved_and_its_page_says_so(
    shop: Flask, order_id: str
) -> None:
    client = client_in(shop, "operator")
    press(client, order_id, "Approve order")
    context = Context(actor=Actor("ben", ROLES["operator"]), channel="test")
    kernel_of(shop).commands.execute(AddOrderNote(order_id=order_id, note="Wait!"), context)
    make_due(shop)
    Sweep(kernel_of(shop)).once()
    assert approved(shop, order_id) == 0
    shown = words(client, order_id)
    assert "Approve order by operator was not carried out." in shown
    assert "changed" in shown


def test_two_clicks_are_one_approval(shop: Flask, order_id: str) -> None:
    client = client_in(shop, "operator")
    [form] = page(client, f"/orders/{order_id}").select("form:has(#do-ApproveOrder)")
    sent = {each["name"]: each["value"] for each in form.select("input[name]")}
    for _ in range(2):
        assert client.post(str(form["action"]), data=sent).status_code == 303
    with kernel_of(shop).engines.write.connect() as connection:
        found = select(command_log.c.command_id).where(command_log.c.not_before.is_not(None))
        assert len(connection.execute(found).all()) == 1


def test_without_undo_it_is_carried_out_at_once(make_shop: MakeConsole) -> None:
    app = make_shop()
    order_id = order_in(app, "placed")
    assert press(client_in(app, "operator"), order_id, "Approve order").status_code == 303
    assert approved(app, order_id) == 1


def test_it_is_carried_out_though_every_process_that_could_was_killed(
    make_shop: MakeConsole,
) -> None:
    app = make_shop(undo_seconds=2)
    order_id = order_in(app, "placed")
    with process_of(app, "sweep") as sweep, process_of(app, "worker") as worker:
        press(client_in(app, "operator"), order_id, "Approve order")
        for process in (sweep, worker):
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert approved(app, order_id) == 0
    with process_of(app, "sweep"):
        wait_until(lambda: approved(app, order_id) == 1)


def signed_in_page(
    app: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> Page:
    address = serve(app)
    shown = new_page(base_url=address)
    cookie = client_in(app, "operator").get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie
    shown.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return shown


def test_one_key_approves_and_one_undoes(
    make_shop: MakeConsole, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    app = make_shop(undo_seconds=LONG)
    order_id = order_in(app, "placed")
    shown = signed_in_page(app, serve, new_page)
    shown.goto(f"/orders/{order_id}")
    approve = shown.get_by_role("button", name="Approve order")
    approve.focus()
    shown.keyboard.press("Enter")
    undo = shown.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(shown.locator("#announcer")).to_contain_text("Approve order by operator")
    shown.keyboard.press("Enter")
    expect(undo).to_have_count(0)
    expect(approve).to_be_focused()
    approve.click()
    expect(undo).to_be_visible()
    make_due(app)
    Sweep(kernel_of(app)).once()
    catch_up(app)
    expect(shown.locator("#order")).to_contain_text("Approved by operator")
    assert approved(app, order_id) == 1


@on_one_database
def test_an_action_that_was_not_carried_out_is_announced_in_sentences(
    make_shop: MakeConsole, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    app = make_shop(undo_seconds=LONG)
    order_id = order_in(app, "placed")
    shown = signed_in_page(app, serve, new_page)
    shown.goto(f"/orders/{order_id}")
    shown.keyboard.press("a")
    expect(shown.get_by_role("button", name="Undo")).to_be_visible()
    context = Context(actor=Actor("ben", ROLES["operator"]), channel="test")
    kernel_of(app).commands.execute(AddOrderNote(order_id=order_id, note="Wait!"), context)
    make_due(app)
    Sweep(kernel_of(app)).once()
    sentences = f"Approve order by operator was not carried out. Order {order_id} Needs approval"
    expect(shown.locator("#announcer")).to_contain_text(sentences)


@on_one_database
def test_a_row_of_the_list_shows_by_itself_what_came_of_an_action(
    make_shop: MakeConsole, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    app = make_shop(undo_seconds=LONG)
    order_id = order_in(app, "placed")
    shown = signed_in_page(app, serve, new_page)
    shown.goto(f"/orders?q={order_id}")
    row = shown.locator(f"#row-{order_id}")
    shown.keyboard.press("j")
    shown.keyboard.press("a")
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    expect(row.get_by_role("link", name=order_id)).to_be_focused()
    make_due(app)
    Sweep(kernel_of(app)).once()
    catch_up(app)
    expect(row.get_by_role("button", name="Undo")).to_have_count(0)
    expect(row.locator(".pending")).to_have_count(0)
    expect(row).not_to_contain_text("Needs approval")
    expect(row.get_by_role("link", name=order_id)).to_be_focused()


@on_one_database
def test_the_form_of_an_address_begins_at_its_first_field(
    make_shop: MakeConsole, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    app = make_shop()
    order_id = order_in(app, "placed")
    shown = signed_in_page(app, serve, new_page)
    shown.goto(f"/orders/{order_id}")
    shown.locator("#more-actions summary").click()
    shown.get_by_role("link", name="Change shipping address").click()
    expect(shown.get_by_role("dialog").get_by_label("Recipient")).to_be_focused()
