"""Webhooks on the pages: added, looked at, paused and resumed by hand, without scripts."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cqrs_app.kernel.commands.context import Context
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks.queries import GetWebhook, GetWebhookSecret
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import fields, page, send
from tests.platform.webhooks.conftest import ADA, Shop
from tests.platform.webhooks.receiver import Receiver


def words(client: FlaskClient, address: str) -> str:
    return " ".join(page(client, address).get_text(" ").split())


def offered(client: FlaskClient) -> list[str]:
    links = page(client, "/webhooks/warehouse").find_all("a", href=re.compile("^/commands/"))
    return [str(link["href"]).split("/")[2].partition("?")[0] for link in links]


@pytest.fixture
def admin(shop: Shop) -> FlaskClient:
    return client_in(shop.app, "admin")


def test_a_webhook_is_added_tested_paused_resumed_and_removed_by_hand(
    shop: Shop, receiver: Receiver, admin: FlaskClient
) -> None:
    assert "No webhooks yet" in words(admin, "/webhooks")
    answer = send(
        admin,
        "/commands/AddWebhook",
        webhook_id="warehouse",
        url=receiver.url,
        event_types=["OrderPlaced", "OrderShipped"],
        description="Picking lists",
    )
    assert (answer.status_code, answer.location) == (303, "/webhooks/warehouse")
    shown = words(admin, "/webhooks/warehouse")
    assert "Not begun yet" in shown
    assert "OrderPlaced OrderShipped" in shown
    assert "The secret is created once a worker has processed the webhook." in shown
    shop.deliver()
    secret = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    shown = words(admin, "/webhooks/warehouse")
    assert "Delivering" in shown
    assert secret in shown
    assert offered(admin)[:1] == ["TestWebhook"]

    answer = send(admin, "/commands/TestWebhook?webhook_id=warehouse")
    assert answer.status_code == 303
    shop.deliver()
    assert receiver.types == ["WebhookTestRequested"]
    assert "Webhook test requested" in words(admin, "/webhooks/warehouse")

    address = "/commands/PauseWebhook?webhook_id=warehouse"
    assert send(admin, address, reason="They move house.").status_code == 303
    assert "Paused They move house." in words(admin, "/webhooks/warehouse")
    assert "PauseWebhook" not in offered(admin)
    assert offered(admin)[0] == "ResumeWebhook"
    assert send(admin, "/commands/ResumeWebhook?webhook_id=warehouse").status_code == 303
    assert send(admin, "/commands/RemoveWebhook?webhook_id=warehouse").status_code == 303
    shown = words(admin, "/webhooks/warehouse")
    assert "Removed" in shown
    assert offered(admin) == []
    assert secret not in shown


def test_the_form_to_change_one_shows_what_it_is_now(
    shop: Shop, receiver: Receiver, admin: FlaskClient
) -> None:
    shop.add(receiver, "OrderPlaced", "OrderShipped")
    address = "/commands/ChangeWebhook?webhook_id=warehouse&expected_version=1"
    form = page(admin, address)
    folded = {
        words.get_text(" ", strip=True): words.parent.has_attr("open")
        for words in form.select("#event_types summary")
    }
    assert folded["Orders 2 of 23"] is True
    assert [name.partition(" ")[0] for name, is_open in folded.items() if not is_open] == [
        "Customers",
        "Inventory",
        "Assignments",
        "Expenses",
        "Payments",
        "Fulfilment",
        "Alerts",
    ]
    values = fields(form)
    assert values["url"] == receiver.url
    assert values["event_types"] == ["OrderPlaced", "OrderShipped"]
    assert admin.post(address, data=values | {"event_types": []}).status_code == 303
    assert shop.ask(GetWebhook(webhook_id="warehouse")).event_types == ()
    conflict = admin.post(address, data=values | {"command_id": "another-id"})
    assert conflict.status_code == 409


def test_a_refusal_comes_back_with_what_was_entered(admin: FlaskClient) -> None:
    answer = send(
        admin,
        "/commands/AddWebhook",
        webhook_id="warehouse",
        url="https://receiver.example.com/",
        event_types="OrderEaten",
    )
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "There is no event type OrderEaten" in text
    assert "https://receiver.example.com/" in text


def test_a_supervisor_looks_and_sees_neither_tasks_nor_the_secret(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.deliver()
    shop.catch_up()
    secret = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    client = client_in(shop.app, "supervisor")
    assert offered(client) == []
    assert secret not in words(client, "/webhooks/warehouse")
    assert secret not in client.get("/webhooks/warehouse/now").get_data(as_text=True)
    assert "Add webhook" not in words(client, "/webhooks")
    assert page(client, "/").find("a", href="/webhooks")
    assert page(client_in(shop.app, "operator"), "/").find("a", href="/webhooks") is None


def test_failing_and_paused_webhooks_are_told_on_system_and_home(
    shop: Shop, receiver: Receiver, admin: FlaskClient
) -> None:
    assert "Webhooks" not in page(admin, "/home/health").get_text(" ")
    shop.add(receiver)
    shop.place()
    shop.catch_up()
    shop.deliver()
    assert "delivering" in page(admin, "/home/health").get_text(" ")
    receiver.answer = lambda received: 500
    shop.place()
    shop.deliver()
    assert "1 failing" in page(admin, "/home/health").get_text(" ")
    system = words(admin, "/system/webhooks")
    assert "Failing" in system
    assert "The receiver answered 500" in system
    shop.do(do.PauseWebhook(webhook_id="warehouse", reason="They move house."))
    shop.catch_up()
    assert "1 paused" in page(admin, "/home/health").get_text(" ")
    assert "Paused They move house." in words(admin, "/system/webhooks")
    assert "They move house." in words(admin, "/webhooks")


def test_every_panel_says_how_fresh_it_is(
    shop: Shop, receiver: Receiver, admin: FlaskClient
) -> None:
    shop.add(receiver)
    shop.deliver()
    for address in ("/webhooks", "/webhooks/warehouse", "/webhooks/-/now"):
        panels = BeautifulSoup(admin.get(address).get_data(), "html.parser").select(".panel-head")
        assert panels
        told = [panel for panel in panels if panel.find(class_="fresh")]
        assert len(told) == len(panels) - ("secret-title" in str(panels))


def test_a_queued_webhook_waits_on_its_page(
    shop: Shop, receiver: Receiver, admin: FlaskClient
) -> None:
    command = do.AddWebhook(webhook_id="warehouse", url=receiver.url)
    receipt = shop.kernel.commands.enqueue(command, Context(actor=ADA, channel="test"))
    assert "waiting for a worker" in words(admin, "/webhooks/warehouse")
    shop.kernel.commands.run_queued(receipt.command_id)
    assert "Not begun yet" in words(admin, "/webhooks/warehouse")


def test_metrics_count_deliveries_failures_and_lag(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    shop.deliver()
    receiver.answer = lambda received: 500
    shop.place()
    shop.deliver()
    text = shop.app.test_client().get("/metrics").get_data(as_text=True)
    for outcome in ("delivered", "failed"):
        labels = f'outcome="{outcome}",webhook="warehouse"'
        assert f"countersign_webhook_deliveries_total{{{labels}}} 1.0" in text
    assert 'countersign_webhook_lag_events{webhook="warehouse"} 1.0' in text
    assert 'countersign_webhook_running{webhook="warehouse"} 1.0' in text
