"""Batches in a browser and without scripts: select, look, start, follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import update

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import HoldOrder
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.platform.batches.commands import StartBatch
from cqrs_app.platform.batches.words import BatchState
from cqrs_app.platform.operators.tables import sessions
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.batches.conftest import Shop
from tests.services.stores import on_one_database

SUPERVISOR = Actor("supervisor", ROLES["supervisor"])


@pytest.fixture
def shop(console: Flask) -> Shop:
    found = Shop(console)
    found.place("A-1", "A-2", "A-3")
    return found


def text(client: FlaskClient, url: str) -> str:
    return " ".join(page(client, url).get_text(" ").split())


def select(client: FlaskClient, *order_ids: str, **more: str) -> Any:
    """Tick the boxes of the list and press a button, as a browser without scripts does."""
    shown = page(client, "/orders")
    form = shown.select_one("form#batch")
    assert form is not None
    sent: dict[str, Any] = {
        str(each["name"]): each.get("value", "") for each in form.select("input[type=hidden]")
    }
    boxes = {
        str(each["value"]).partition("@")[0]: each["value"] for each in shown.select("[data-pick]")
    }
    sent |= {"item": [boxes[each] for each in order_ids], **more}
    return client.post(form["action"], data=sent)


def paste(client: FlaskClient, ids: str) -> Any:
    """Create a batch of approvals from a list of order numbers."""
    form = page(client, "/batches/new").select_one("main form")
    assert form is not None
    token = form.select_one("input[name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": token["value"], "command": "ApproveOrder", "ids": ids}
    return client.post(form["action"], data=sent)


def press(client: FlaskClient, url: str, button: str) -> Any:
    for form in page(client, url).select("#batch form"):
        found = form.find("button")
        if found and found.get_text(strip=True) == button:
            sent = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
            return client.post(form["action"], data=sent)
    raise AssertionError(f"there is no button {button}")


def test_orders_are_selected_checked_and_approved_without_scripts(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    answer = select(client, "A-1", "A-2", command="ApproveOrder")
    assert answer.status_code == 303
    url = answer.location
    batch_id = url.rpartition("/")[2]
    catch_up(shop.app)
    shop.work(batch_id)
    shown = text(client, url)
    assert "Approve order: 2 items Ready to start" in shown
    assert "All 2 can be done. Nothing was changed yet." in shown
    assert "EUR 10.00" in shown
    assert press(client, url, "Start 2 items").status_code == 303
    catch_up(shop.app)
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "done"}
    shown = text(client, url)
    assert "Finished" in shown
    assert "2 of 2" in shown
    assert "Approve order: 2" in text(client, "/batches")


def test_what_happened_to_an_item_that_has_changed_since_is_shown(shop: Shop) -> None:
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], actor=SUPERVISOR)
    shop.run(HoldOrder(order_id="A-2", reason=HoldReason.OTHER))
    shop.work(batch_id)
    url = f"/batches/{batch_id}"
    for name in ("supervisor", "operator"):
        assert "Order held by sam" in text(client_in(shop.app, name), url)
    shop.decide(StartBatch(batch_id=batch_id), SUPERVISOR)
    shop.work(batch_id)
    client = client_in(shop.app, "supervisor")
    assert "Order held by sam" in text(client, f"{url}?outcome=conflicted")
    assert "by sam" not in text(client, f"{url}?outcome=done")
    [link] = page(client, url).select('a:-soup-contains("Difference")')
    assert "What changed since version 1" in text(client, str(link["href"]))


def test_a_command_with_fields_asks_for_them_once(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    answer = select(client, "A-1", "A-3", command="HoldOrder")
    assert answer.status_code == 200
    form = BeautifulSoup(answer.data, "html.parser").select_one("main form")
    assert form is not None
    sent: dict[str, Any] = {}
    for each in form.select("input[name]"):
        sent.setdefault(str(each["name"]), []).append(each.get("value", ""))
    assert client.post(form["action"], data=sent).status_code == 422
    answer = client.post(form["action"], data=sent | {"reason": "other", "note": "Look again."})
    assert answer.status_code == 303
    again = client.post(form["action"], data=sent | {"reason": "other", "note": "Look again."})
    assert again.location == answer.location
    batch_id = answer.location.rpartition("/")[2]
    catch_up(shop.app)
    assert shop.batch(batch_id).fields["note"] == "Look again."
    assert set(shop.outcomes(batch_id)) == {"A-1", "A-3"}


def test_all_that_match_are_chosen_with_the_filters_of_the_list(shop: Shop) -> None:
    shop.place("B-1", price=500)
    client = client_in(shop.app, "operator")
    shown = page(client, "/orders?min_total=100")
    form = shown.select_one("form#batch")
    assert form is not None
    filters = form.select_one("input[name=filters]")
    assert filters is not None
    answer = select(client, command="ApproveOrder", everything="1", filters=str(filters["value"]))
    batch_id = answer.location.rpartition("/")[2]
    assert set(shop.outcomes(batch_id)) == {"B-1"}


def test_ids_can_be_pasted_and_nothing_selected_is_said(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    answer = select(client, command="ApproveOrder")
    assert answer.status_code == 422
    assert "Nothing is selected" in answer.text
    answer = paste(client, "A-1, A-2\nA-9")
    batch_id = answer.location.rpartition("/")[2]
    catch_up(shop.app)
    shop.work(batch_id)
    shown = text(client, answer.location)
    assert "2 of 3 can be done" in shown
    assert shop.items(batch_id)["A-9"].expected == "refused"


def test_a_checked_batch_says_in_each_place_what_would_be_done(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = paste(client, "A-1 A-9").location
    catch_up(shop.app)
    shop.work(url.rpartition("/")[2])
    checked = page(client, url)
    announced = checked.select_one("[data-announce]")
    assert announced is not None
    assert "Ready to start. 1 would be done. 1 would be refused." in announced.get_text()
    states = [each.get_text(strip=True) for each in checked.select("td > [class^=tone]")]
    assert states == ["Would be done", "Would be refused"]
    chosen = text(client, f"{url}?outcome=refused")
    assert "Would be refused show all" in chosen


def test_the_actions_for_a_selection_are_counted(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    token = page(client, "/orders").select_one("#batch input[name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": token["value"], "what": "orders", "item": ["A-1@1", "A-2@1", "A-9@1"]}
    answer = client.post("/batches/offers", data=sent)
    shown = " ".join(BeautifulSoup(answer.data, "html.parser").get_text(" ").split())
    assert "Approve order 2" in shown
    assert "Hold order 2" in shown
    assert "Release order" not in shown


def test_who_may_not_run_batches_sees_none(shop: Shop) -> None:
    viewer = client_in(shop.app, "viewer")
    assert page(viewer, "/orders").select("[data-pick]") == []
    assert viewer.get("/batches").status_code == 403


def tray(client: FlaskClient) -> str:
    found = page(client, "/customers").select_one("#banners .tray")
    return " ".join(found.get_text(" ").split()) if found else ""


def test_a_batch_is_on_every_page_of_its_creator_until_it_has_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.interfaces.web.shell.LOOK_EVERY_SECONDS", -1.0)
    client = client_in(shop.app, "operator")
    assert tray(client) == ""
    created = select(client, "A-1", "A-2", "A-3", command="ApproveOrder")
    batch_id = created.location.rpartition("/")[2]
    catch_up(shop.app)
    assert tray(client) == "Approve order: 3 items Checking"
    shop.run(HoldOrder(order_id="A-3", reason=HoldReason.OTHER))
    shop.decide(StartBatch(batch_id=batch_id), Actor("operator", ROLES["operator"]))
    catch_up(shop.app)
    assert tray(client) == "Approve order: 3 items 0 of 3"
    assert tray(client_in(shop.app, "supervisor")) == ""
    shop.work(batch_id)
    assert tray(client).startswith("Approve order: 3 items Finished: 2 items done, 1 not done")
    row = page(client, "/batches").select_one("tbody tr")
    assert row
    assert [each.get_text(strip=True) for each in row.select("td.n")][:2] == ["2", "1"]
    monkeypatch.setattr("cqrs_app.interfaces.web.shell.IN_TRAY", timedelta(0))
    assert tray(client) == ""


@on_one_database
def test_the_end_of_a_batch_is_announced_on_any_page(
    shop: Shop, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    address = serve(shop.app)
    opened = new_page(base_url=address)
    cookie = client_in(shop.app, "operator").get_cookie(shop.app.config["SESSION_COOKIE_NAME"])
    assert cookie
    opened.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    creator = Actor("operator", ROLES["operator"])
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], actor=creator, start=True)
    opened.goto("/products")
    expect(opened.locator(".tray")).to_contain_text("0 of 2")
    shop.work(batch_id)
    announced = opened.locator("#announcer")
    expect(announced).to_have_text("Approve order: finished. 2 items done")


@pytest.mark.parametrize("by", ["clicks", "keys"])
def test_fifty_approvals_from_home_are_five_clicks_or_six_keys(
    shop: Shop, serve: Callable[[Flask], str], new_page: Callable[..., Page], by: str
) -> None:
    shop.place(*(f"B-{number}" for number in range(47)))
    address = serve(shop.app)
    opened = new_page(base_url=address)
    name = shop.app.config["SESSION_COOKIE_NAME"]
    cookie = client_in(shop.app, "operator").get_cookie(name)
    assert cookie
    opened.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
    opened.goto("/")
    _choose_fifty(opened, by)
    opened.wait_for_url("**/batches/*")
    batch_id = opened.url.rpartition("/")[2]
    catch_up(shop.app)
    shop.work(batch_id)
    start = opened.get_by_role("button", name="Start 50 items")
    expect(start).to_be_visible()
    if by == "keys":
        opened.keyboard.press("Control+Enter")
    else:
        start.click()
    expect(opened.locator("#batch")).to_contain_text("0 of 50")
    catch_up(shop.app)
    shop.work(batch_id)
    expect(opened.locator("#batch")).to_contain_text("50 done")
    assert set(shop.outcomes(batch_id).values()) == {"done"}


def _choose_fifty(opened: Page, by: str) -> None:
    """From Home to the check of the batch."""
    selected = opened.locator("[data-selected-count]")
    if by == "clicks":
        opened.get_by_role("link", name="Needs approval").click()
        opened.get_by_label("Select all orders on this page").check()
        with opened.expect_response("**/batches/offers"):
            opened.get_by_role("button", name="Select all 50 orders that match").click()
        expect(selected).to_have_text("50 selected")
        opened.get_by_role("button", name="Approve order", exact=True).click()
        return
    opened.keyboard.press("j")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/orders?*")
    opened.keyboard.press("x")
    expect(selected).to_have_text("25 selected")
    opened.keyboard.press("x")
    expect(selected).to_have_text("50 selected")
    opened.keyboard.press("a")


def test_products_are_selected_in_their_list(shop: Shop) -> None:
    for sku in ("LAMP A", "VASE"):
        shop.run(AddProduct(sku=sku, description=sku))
    catch_up(shop.app)
    client = client_in(shop.app, "supervisor")
    shown = page(client, "/products?show=offered&columns=price")
    form = shown.select_one("form#batch")
    assert form
    assert "Select product LAMP A" in [
        str(each["aria-label"]) for each in shown.select("[data-pick]")
    ]
    sent = {str(each["name"]): each.get("value", "") for each in form.select("input[type=hidden]")}
    picked = [each["value"] for each in shown.select("[data-pick]")]
    offers = client.post("/batches/offers", data=sent | {"item": picked})
    assert [each.next for each in BeautifulSoup(offers.text, "html.parser").select("button")] == [
        "Set low-stock level ",
        "Retire product ",
    ]
    created = client.post(
        form["action"], data=sent | {"command": "RetireProduct", "everything": "1"}
    )
    batch_id = created.location.rpartition("/")[2]
    shop.work(batch_id)
    assert shop.batch(batch_id).row.source == "All with Show: Active products"
    shop.decide(StartBatch(batch_id=batch_id), Actor("supervisor", ROLES["supervisor"]))
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"LAMP A": "done", "VASE": "done"}


def test_starting_a_batch_of_a_sensitive_command_asks_who_one_is(shop: Shop) -> None:
    admin = Actor("admin", ROLES["admin"])
    shop.run(RegisterCustomer(customer_id="C1", name="Ada"), admin)
    catch_up(shop.app)
    client = client_in(shop.app, "admin")
    fields = {"reason": "asked by letter"}
    batch_id = shop.create("EraseCustomer", ["C1"], fields=fields, actor=admin)
    shop.work(batch_id)
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=None))
    answer = press(client, f"/batches/{batch_id}", "Start 1 item")
    assert "Confirm it's you" in answer.text.replace("&#39;", "'")
    assert shop.batch(batch_id).row.state is BatchState.READY
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=datetime.now(UTC)))
    assert press(client, f"/batches/{batch_id}", "Start 1 item").status_code == 303
    catch_up(shop.app)
    assert shop.batch(batch_id).row.state is BatchState.RUNNING


def test_any_other_batch_starts_without_a_proof(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    url = select(client, "A-1", command="ApproveOrder").location
    catch_up(shop.app)
    shop.work(url.rpartition("/")[2])
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=None))
    assert press(client, url, "Start 1 item").status_code == 303


def test_the_proof_is_asked_for_in_a_dialog_of_the_batchs_page(
    shop: Shop, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    admin = Actor("admin", ROLES["admin"])
    shop.run(RegisterCustomer(customer_id="C1", name="Ada"), admin)
    catch_up(shop.app)
    fields = {"reason": "asked by letter"}
    batch_id = shop.create("EraseCustomer", ["C1"], fields=fields, actor=admin)
    shop.work(batch_id)
    address = serve(shop.app)
    shown = new_page(base_url=address)
    name = shop.app.config["SESSION_COOKIE_NAME"]
    cookie = client_in(shop.app, "admin").get_cookie(name)
    assert cookie
    shown.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
    shown.goto(f"/batches/{batch_id}")
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=None))
    shown.get_by_role("button", name="Start 1 item").click()
    dialog = shown.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Confirm it's you")).to_be_visible()
    expect(shown.get_by_role("heading", name="Erase customer: 1 item")).to_have_count(1)
