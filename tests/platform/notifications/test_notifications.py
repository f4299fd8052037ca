"""Notifications: written from the log, shown, read, and chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from cqrs_app.areas.assignments.commands import AssignOrder, TakeOverOrder
from cqrs_app.areas.orders.commands import AddOrderNote, AddOrderTag, HoldOrder
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.alerts.commands import RaiseAlert
from cqrs_app.platform.approvals.commands import OverrideApproval, ReviewOverride, WithdrawRequest
from cqrs_app.platform.approvals.types import ApprovalStage, OverrideVerdict
from cqrs_app.platform.batches import items as batch_rows
from cqrs_app.platform.notifications.tables import notifications
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD, catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.approvals.conftest import PEOPLE
from tests.platform.approvals.conftest import Shop as ApprovalShop
from tests.platform.batches.conftest import MARIA, Shop

ANA = Actor("ana", ROLES["operator"])


@pytest.fixture
def shop(make_console: Any) -> Shop:
    made = Shop(make_console())
    made.place("A-1", "A-2")
    accounts = services_of(made.app).accounts
    for name in ("ana", "ben"):
        accounts.create(name, "operator", PASSWORD)
        accounts.set_team(name, "returns")
    return made


def sentences(shop: Shop, operator: str) -> list[str]:
    catch_up(shop.app)
    return [each.sentence for each in services_of(shop.app).inbox.newest(operator)]


def signed_in(shop: Shop, name: str) -> FlaskClient:
    client = client_in(shop.app, "nobody")
    token = services_of(shop.app).sessions.open(name, "127.0.0.1", "test")
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client


def send(client: FlaskClient, form: Any) -> Any:
    assert form is not None
    token = form.select_one("input[name=csrf_token]")
    assert token is not None
    return client.post(form["action"], data={"csrf_token": token["value"]})


def test_who_is_mentioned_in_a_note_is_notified_once(shop: Shop) -> None:
    shop.run(AddOrderNote(order_id="A-1", note="@ana, @Ana: call them. @nobody @ben@x"), MARIA)
    hold = HoldOrder(order_id="A-2", reason=HoldReason.OTHER, note="Ask @ben.")
    shop.run(hold, MARIA)
    assert sentences(shop, "ana") == ["maria mentioned you in a note on order A-1."]
    assert "maria mentioned you in a note on order A-2." in sentences(shop, "ben")
    assert sentences(shop, "nobody") == []


def test_nobody_is_notified_of_what_they_did_themselves(shop: Shop) -> None:
    shop.run(AddOrderNote(order_id="A-1", note="@ana remember this"), ANA)
    shop.run(AssignOrder(order_id="A-1", operator="ana"), ANA)
    assert sentences(shop, "ana") == []


def test_an_assignment_notifies_the_operator_or_the_others_of_the_team(shop: Shop) -> None:
    shop.run(AssignOrder(order_id="A-1", operator="ana", note="@ana it is urgent"), MARIA)
    assert sentences(shop, "ana") == ["maria assigned order A-1 to you."]
    shop.run(AssignOrder(order_id="A-2", team="returns"), ANA)
    assert sentences(shop, "ben") == ["ana assigned order A-2 to team returns."]
    assert len(sentences(shop, "ana")) == 1


def test_a_batch_of_assignments_is_one_notification(shop: Shop) -> None:
    ids = ["A-1", "A-2", *(f"B-{number}" for number in range(5))]
    shop.place(*ids[2:])
    fields = {"team": "returns", "note": "@ben: these are urgent."}
    batch_id = shop.create("AssignOrder", ids, fields=fields, actor=ANA, start=True)
    task = shop.kernel.registry.tasks["batches"]
    with patch.object(batch_rows, "CHUNK", 2):
        while task.work(shop.kernel, batch_id):
            shop.kernel.runner.advance("notifications")
    assert sentences(shop, "ana") == ["Your batch of 7 items has finished."]
    assert sentences(shop, "ben") == ["ana assigned a batch of 7 orders to team returns."]
    found = services_of(shop.app).inbox.newest("ben")[0]
    assert found.stream == f"batch-{batch_id}"
    single = shop.create("AssignOrder", ["A-1"], fields={"operator": "ben"}, actor=ANA, start=True)
    shop.work(single)
    assert sentences(shop, "ben")[0] == "ana assigned order A-1 to you."
    assert sentences(shop, "ana")[0] == "Your batch of 1 item has finished."


def test_who_loses_a_claim_is_notified(shop: Shop) -> None:
    services_of(shop.app).claims.claim("A-1", "ana")
    shop.run(TakeOverOrder(order_id="A-1", note="You are at lunch."), MARIA)
    assert sentences(shop, "ana") == ["maria took over order A-1."]


def test_a_batch_that_ended_notifies_whoever_created_it(shop: Shop) -> None:
    batch_id = shop.create("ApproveOrder", ["A-1", "A-2"], actor=ANA, start=True)
    shop.work(batch_id)
    assert sentences(shop, "ana") == ["Your batch of 2 items has finished."]
    assert sentences(shop, "maria") == []


def test_who_asked_for_signatures_is_notified_of_the_decision(make_console: Any) -> None:
    shop = ApprovalShop(make_console())
    for name, role in PEOPLE.items():
        services_of(shop.app).accounts.create(name, role, PASSWORD)
    inbox = services_of(shop.app).inbox
    shop.policy("RefundPayment", "AddOrderTag", stages=(ApprovalStage(approvals=2),))
    shop.pay()
    request_id = shop.ask()
    asked = shop.ask(AddOrderTag(order_id="A-1", tag="Gift"))
    assert [each.sentence for each in inbox.newest("tina")] == [
        "sam requests your approval of “Add tag” for order A-1.",
        "sam requests your approval of “Refund payment” for payment P-1.",
    ]
    shop.sign(request_id)
    assert (inbox.unread("tina"), inbox.unread("ada")) == (1, 2)
    shop.run(WithdrawRequest(request_id=asked))
    catch_up(shop.app)
    assert (inbox.unread("tina"), inbox.unread("ada")) == (0, 1)
    shop.sign(request_id, "ada")
    assert inbox.unread("ada") == 0
    assert [each.sentence for each in inbox.newest("sam")] == [
        "Your request “Refund payment” for payment P-1 was approved."
    ]
    assert inbox.newest("victor") == []


def test_what_awaits_a_review_is_unread_until_somebody_has_reviewed_it(make_console: Any) -> None:
    shop = ApprovalShop(make_console())
    for name, role in PEOPLE.items():
        services_of(shop.app).accounts.create(name, role, PASSWORD)
    inbox = services_of(shop.app).inbox
    shop.policy()
    shop.pay()
    request_id = shop.ask()
    digest = shop.view(request_id).digest
    shop.run(OverrideApproval(request_id=request_id, digest=digest, reason="Urgent."), "ada")
    shop.work()
    assert [(each.sentence, each.read_at is None) for each in inbox.newest("tina")] == [
        ("ada overrode the approval of “Refund payment” for payment P-1. Review it.", True),
        ("sam requests your approval of “Refund payment” for payment P-1.", False),
    ]
    verdict = OverrideVerdict.JUSTIFIED
    shop.run(ReviewOverride(request_id=request_id, verdict=verdict, comment="It was."), "tina")
    catch_up(shop.app)
    assert inbox.unread("tina") == 0


def test_whoever_owns_an_alert_is_notified_when_it_is_raised(shop: Shop) -> None:
    alert: dict[str, Any] = {"rule": "lag", "severity": "warning", "title": "Lists lag."}
    alert["since"] = datetime.now(UTC)
    worker = Actor("worker", frozenset({"alerts.raise"}))
    for number, owner in enumerate(("returns", "ana", "", "somebody")):
        shop.run(RaiseAlert(alert_id=f"{number:012}", owner=owner, **alert), worker)
    assert sentences(shop, "ana") == ["Alert: Lists lag."] * 2
    assert sentences(shop, "ben") == ["Alert: Lists lag."]


def test_the_log_of_before_is_no_news(shop: Shop) -> None:
    shop.run(AddOrderNote(order_id="A-1", note="@ana"), MARIA)
    old = datetime.now(UTC) - timedelta(days=2)
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(events).values(recorded_at=old))
    assert sentences(shop, "ana") == []


def test_unread_ones_are_counted_on_every_page_and_opened(shop: Shop) -> None:
    client = signed_in(shop, "ana")
    assert "unread notification" not in client.get("/banners").get_data(as_text=True)
    shop.run(AddOrderNote(order_id="A-1", note="@ana"), MARIA)
    shop.run(AddOrderNote(order_id="A-2", note="@ana"), MARIA)
    catch_up(shop.app)
    assert "2 unread notifications" in client.get("/banners").get_data(as_text=True)
    assert "2 unread notifications" in page(client, "/orders").get_text()
    shown = page(client, "/notifications")
    forms = shown.select(".notifications form")
    assert [each.get_text(" ", strip=True) for each in forms] == [
        "Unread: maria mentioned you in a note on order A-2.",
        "Unread: maria mentioned you in a note on order A-1.",
    ]
    assert send(client, forms[0]).location == "/orders/A-2"
    assert "1 unread notification" in client.get("/banners").get_data(as_text=True)
    everything = page(client, "/notifications").select_one('form[action="/notifications/read"]')
    assert send(client, everything).location == "/notifications"
    assert "unread notification" not in page(client, "/orders").get_text()
    others = signed_in(shop, "ben")
    assert page(others, "/notifications").select(".notifications form") == []
    token = page(others, "/account").select_one("input[name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": token["value"]}
    assert others.post(forms[0]["action"], data=sent).status_code == 404


def test_a_kind_that_is_not_wanted_is_not_written(shop: Shop) -> None:
    client = signed_in(shop, "ana")
    form = page(client, "/account").select_one("main form")
    assert form is not None
    token = form.select_one("input[name=csrf_token]")
    assert token is not None
    boxes = {str(each["value"]) for each in form.select("input[name=notified][checked]")}
    assert boxes == {each.value for each in NotificationKind}
    sent = {"csrf_token": token["value"], "notified": ["assigned"], "timezone": ""}
    assert client.post("/account", data=sent).status_code == 303
    shop.run(AddOrderNote(order_id="A-1", note="@ana"), MARIA)
    shop.run(AssignOrder(order_id="A-1", operator="ana"), MARIA)
    assert sentences(shop, "ana") == ["maria assigned order A-1 to you."]


def test_old_ones_are_deleted(shop: Shop) -> None:
    shop.run(AddOrderNote(order_id="A-1", note="@ana"), MARIA)
    catch_up(shop.app)
    old = datetime.now(UTC) - timedelta(days=91)
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(notifications).values(at=old))
    shop.kernel.registry.tasks["retention"].housekeep(shop.kernel)
    assert services_of(shop.app).inbox.newest("ana") == []
