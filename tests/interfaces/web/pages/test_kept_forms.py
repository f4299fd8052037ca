"""What was typed is never lost: without scripts, by the server's answers alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import TimedOut
from cqrs_app.platform.macros.commands import SaveMacro
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import PASSWORD, client_in, order_in
from tests.interfaces.web.pages.test_without_scripts import fields, form_address, page

NOTE = "Mind the dog: «Ünter» & <b>"


@pytest.fixture
def kind() -> str:
    """A form does not depend on its database."""
    return "sqlite"


@pytest.fixture
def client(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("operator")


@pytest.fixture
def address(shop: Flask, client: FlaskClient) -> str:
    return form_address(client, order_in(shop, "placed"), "AddOrderNote")


def typed_in(client: FlaskClient, address: str) -> dict[str, Any]:
    return fields(page(client, address)) | {"note": NOTE}


def end_session(shop: Flask, client: FlaskClient) -> None:
    with client.session_transaction() as cookie:
        services_of(shop).sessions.revoke(cookie["token"])


def soup_of(answer: Any) -> BeautifulSoup:
    return BeautifulSoup(answer.get_data(), "html.parser")


def notes_of(shop: Flask, address: str) -> int:
    kernel: Kernel = services_of(shop).kernel
    stream = "order-" + address.partition("order_id=")[2].partition("&")[0]
    return [e.type for e in kernel.store.events_of(stream)].count("OrderNoteAdded")


def test_a_form_sent_after_the_session_ended_is_there_again_once_signed_in(
    shop: Flask, client: FlaskClient, address: str
) -> None:
    values = typed_in(client, address)
    end_session(shop, client)
    answer = client.post(address, data=values)
    assert answer.status_code == 401
    assert "nothing was sent" in answer.text

    wrong = fields(soup_of(answer)) | {"sign-in-name": "operator", "sign-in-password": "wrong"}
    refused = client.post(address, data=wrong)
    assert refused.status_code == 422
    assert "password is wrong" in refused.text

    right = fields(soup_of(refused)) | {"sign-in-password": PASSWORD}
    again = client.post(address, data=right)
    assert again.status_code == 200
    assert "Nothing was sent yet" in again.text
    assert notes_of(shop, address) == 0

    assert fields(soup_of(again))["note"] == NOTE
    sent = client.post(address, data=fields(soup_of(again)))
    assert sent.status_code == 303
    assert notes_of(shop, address) == 1


def test_what_was_typed_is_in_no_address_and_no_store_while_nobody_is_signed_in(
    shop: Flask, client: FlaskClient, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    values = typed_in(client, address)
    end_session(shop, client)
    answer = client.post(address, data=values)
    assert "Location" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert "dog" not in str(client.get_cookie(shop.config["SESSION_COOKIE_NAME"]))
    assert "dog" not in caplog.text
    assert services_of(shop).kernel.log.find(values["command_id"]) is None


def test_another_site_cannot_put_its_text_before_whoever_signs_in(
    shop: Flask, client: FlaskClient, address: str
) -> None:
    values = typed_in(client, address)
    end_session(shop, client)
    answer = client.post(address, data=values, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "dog" not in answer.text


def test_a_sign_in_in_the_place_of_a_form_needs_its_own_token(
    shop: Flask, client: FlaskClient, address: str
) -> None:
    values = typed_in(client, address)
    end_session(shop, client)
    sign_in = fields(soup_of(client.post(address, data=values)))
    sign_in |= {"sign-in-name": "operator", "sign-in-password": PASSWORD}
    answer = client.post(address, data=sign_in | {"sign-in-csrf_token": "forged"})
    assert answer.status_code == 422
    assert "This page was open too long, so you were not signed in." in answer.text
    assert client.get("/").status_code == 303


def test_a_sign_in_form_that_was_open_too_long_comes_back_with_its_name(
    shop: Flask, client: FlaskClient
) -> None:
    end_session(shop, client)
    values = {"name": "operator", "password": PASSWORD}
    answer = client.post("/sign-in", data=values | {"csrf_token": "of another session"})
    assert answer.status_code == 422
    assert "This page was open too long, so you were not signed in." in answer.text
    assert "administrator" not in answer.text
    again = fields(soup_of(answer))
    assert again["name"] == "operator"
    assert PASSWORD not in answer.text
    assert client.post("/sign-in", data=again | {"password": PASSWORD}).status_code == 303


def test_a_form_of_an_earlier_session_comes_back_fit_to_be_sent(
    shop: Flask, client: FlaskClient, address: str
) -> None:
    values = typed_in(client, address) | {"csrf_token": "of another session"}
    answer = client.post(address, data=values)
    assert answer.status_code == 422
    assert "earlier session" in answer.text
    assert fields(soup_of(answer))["note"] == NOTE
    assert client.post(address, data=fields(soup_of(answer))).status_code == 303


@pytest.mark.parametrize(
    "error", [TimedOut("Add note", 5), OperationalError("x", {}, Exception()), RuntimeError("x")]
)
def test_a_fault_sends_the_form_back_with_what_was_typed(
    client: FlaskClient, address: str, error: Exception
) -> None:
    values = typed_in(client, address)
    with patch.object(CommandBus, "dispatch", side_effect=error):
        answer = client.post(address, data=values)
    assert answer.status_code in (500, 503)
    assert fields(soup_of(answer))["note"] == NOTE
    assert client.post(address, data=fields(soup_of(answer))).status_code == 303


def test_who_may_no_longer_send_it_still_has_the_text_and_no_button(
    client_of: Callable[[str], FlaskClient], client: FlaskClient, address: str
) -> None:
    values, viewer = typed_in(client, address), client_of("viewer")
    with viewer.session_transaction() as cookie, client.session_transaction() as other:
        cookie["csrf_token"] = other["csrf_token"]
    answer = viewer.post(address, data=values)
    assert answer.status_code == 403
    form = soup_of(answer)
    assert fields(form)["note"] == NOTE
    buttons = form.select("#command button")
    assert all(button.has_attr("disabled") or button.get("type") == "button" for button in buttons)
    assert form.select_one("#command .form-actions a.btn-main")


def test_the_form_of_a_token_is_kept_through_sign_in_too(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    admin = client_of("admin")
    form = soup_of(admin.get("/tokens/new")).select_one("main form")
    assert form is not None
    token = str(form.select("input[name=csrf_token]")[0]["value"])
    values = {"csrf_token": token, "name": "stock-room", "role": "operator", "expires_days": "7"}
    end_session(shop, admin)
    chosen = {"permissions": ["orders.view", "orders.ship"]}
    answer = admin.post("/tokens/new", data=values | chosen)
    assert answer.status_code == 401
    sign_in = MultiDict(
        (str(each["name"]), str(each.get("value", ""))) for each in soup_of(answer).select("input")
    )
    sign_in["sign-in-name"], sign_in["sign-in-password"] = "admin", PASSWORD
    again = soup_of(admin.post("/tokens/new", data=sign_in))
    assert again.select_one("#name")["value"] == "stock-room"  # type: ignore[index]
    boxes = {str(each["value"]) for each in again.select("input[name=permissions][checked]")}
    assert boxes >= set(chosen["permissions"])


def test_a_form_that_cannot_be_shown_again_is_an_error_page(
    client: FlaskClient, address: str
) -> None:
    values = typed_in(client, address)
    with (
        patch.object(CommandBus, "dispatch", side_effect=RuntimeError("x")),
        patch("cqrs_app.interfaces.web.commands._page", side_effect=RuntimeError("y")),
    ):
        answer = client.post(address, data=values)
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text


@pytest.mark.parametrize(
    ("address", "sent", "shown"),
    [
        ("/batches/new", {"command": "AddOrderNote", "ids": "A1 A2"}, {"ids": "A1 A2"}),
        ("/batches/new", {"command": "AddOrderNote", "item": "A1@2"}, {"item": "A1@2"}),
        ("/batches", {"command": "AddOrderNote", "item": "A1@2", "note": NOTE}, {"note": NOTE}),
        (
            "/macros/edit",
            {"macro": "Mind", "owner": "admin", "step": "AddOrderNote", "step0-note": NOTE},
            {"macro": "Mind", "step0-note": NOTE},
        ),
    ],
)
def test_the_form_of_a_batch_and_of_a_macro_is_kept_through_sign_in_too(
    shop: Flask,
    client_of: Callable[[str], FlaskClient],
    address: str,
    sent: dict[str, str],
    shown: dict[str, str],
) -> None:
    admin = client_of("admin")
    end_session(shop, admin)
    answer = admin.post(address, data=sent)
    assert answer.status_code == 401
    right = {"sign-in-name": "admin", "sign-in-password": PASSWORD}
    again = admin.post(address, data=fields(soup_of(answer)) | right)
    assert "Nothing was sent yet" in again.text
    form = soup_of(again).select("main form input, main form textarea")
    values = {str(each["name"]): each.get("value") or each.text.strip() for each in form}
    assert values.items() >= shown.items()


def test_the_forms_of_ones_account_are_kept_through_sign_in_too(
    make_shop: MakeConsole,
) -> None:
    shop = make_shop(smtp_url="smtp://127.0.0.1:1", alert_emails="ops@desk.example")
    client = client_in(shop, "operator")
    for address, sent, shown in (
        ("/account", {"timezone": "Asia/Tokyo", "notified": "mentioned"}, "Asia/Tokyo"),
        ("/account/mail", {"address": "olga@desk.example"}, "olga@desk.example"),
    ):
        end_session(shop, client)
        answer = client.post(address, data=sent)
        assert answer.status_code == 401
        right = {"sign-in-name": "operator", "sign-in-password": PASSWORD}
        again = client.post(address, data=fields(soup_of(answer)) | right)
        assert "Nothing was sent yet" in again.text
        values = {each.get("value") for each in soup_of(again).select("main form input")}
        assert shown in values
    assert services_of(shop).accounts.get("operator").timezone == ""


@pytest.mark.parametrize("more", [{}, {"start": "1", "next": "/orders"}])
def test_a_macro_sent_after_the_session_ended_is_there_again_once_signed_in(
    shop: Flask, client: FlaskClient, more: dict[str, str]
) -> None:
    save = SaveMacro(macro="Note it", owner="@team", steps=("AddOrderNote?note=Call",))
    admin = Actor("ada", frozenset(ROLES["admin"]))
    services_of(shop).kernel.commands.execute(save, Context(actor=admin, channel="test"))
    sent = {"macro": "Note it", "item": f"{order_in(shop, 'placed')}@1"} | more
    end_session(shop, client)
    answer = client.post("/batches/new", data=sent)
    right = {"sign-in-name": "operator", "sign-in-password": PASSWORD}
    again = client.post("/batches/new", data=fields(soup_of(answer)) | right)
    assert "Nothing was sent yet" in again.text
    assert "Note it: 1 selected" in again.text
    form = soup_of(again).select_one("main form")
    assert form is not None
    values = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    assert values.items() >= sent.items()
    run = client.post(str(form["action"]), data=values)
    assert run.status_code == 303
    assert run.location.startswith(more.get("next", "/batches/"))


@pytest.mark.parametrize(
    "address", ["/batches", "/batches/new", "/macros/edit", "/tokens/new", "/commands/Nothing"]
)
def test_a_form_that_is_not_open_to_who_signs_in_is_an_error_page(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    viewer, sent = client_of("viewer"), {"command": "AddOrderNote", "note": NOTE}
    assert viewer.post(address, data=sent).status_code in (403, 404, 422)
    end_session(shop, viewer)
    right = {"sign-in-name": "viewer", "sign-in-password": PASSWORD}
    answer = viewer.post(address, data=fields(soup_of(viewer.post(address, data=sent))) | right)
    assert answer.status_code == 403
    assert "Nothing was sent" in answer.text
