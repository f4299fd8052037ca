"""Values that no page sends: each gets an answer, none is a fault, on either database."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.interfaces.web.conftest import sign_in, token_in
from tests.interfaces.web.pages.conftest import client_in

LONG_NUMBER = "9" * 5_000
DEEP = "[" * 5_000


@pytest.fixture
def client(shared_shop: Flask) -> FlaskClient:
    return client_in(shared_shop, "supervisor")


def send(client: FlaskClient, address: str, **fields: str) -> Any:
    token = token_in(client.get("/account").text)
    tokens = dict.fromkeys(("csrf_token", "proof-csrf_token"), token)
    return client.post(address, data=tokens | fields)


@pytest.mark.parametrize(
    ("address", "fields", "status"),
    [
        (f"/notifications/{'9' * 30}/open", {}, 404),
        (f"/account/sessions/{'%00' * 16}/end", {}, 303),
        ("/account/passkeys/%00/remove", {}, 303),
        ("/account/authenticator", {"sealed": "abc", "code": "123456"}, 422),
        ("/queue/next", {"order_id": "a\x00b"}, 404),
        ("/queue/close", {"order_id": "a\x00b"}, 404),
        ("/orders/%00/release", {}, 404),
        ("/batches/offers", {"what": "orders", "item": f"A@{LONG_NUMBER}"}, 422),
        ("/batches/offers", {"what": "orders", "item": "A\x00"}, 422),
        ("/batches", {"command": "ApproveOrder", "item": f"A@{LONG_NUMBER}"}, 422),
        (
            "/batches",
            {"command": "ApproveOrder", "everything": "1", "filters": "stage=%00"},
            422,
        ),
    ],
)
def test_a_form_with_unusable_values_is_no_fault(
    client: FlaskClient, address: str, fields: dict[str, str], status: int
) -> None:
    assert send(client, address, **fields).status_code == status


@pytest.mark.parametrize("order_id", ["%00", "1" * 70])
def test_an_order_that_no_store_can_hold_is_not_claimed(client: FlaskClient, order_id: str) -> None:
    assert client.get(f"/orders/{order_id}?queue=1").status_code == 404


def test_a_name_that_no_store_can_hold_signs_nobody_in(shared_shop: Flask) -> None:
    answer = sign_in(shared_shop.test_client(), "mia\x00", "seven brown herons")
    assert answer.status_code == 422


@pytest.mark.parametrize("response", [DEEP, "[]", "x" * 30_000])
def test_a_passkey_that_is_none_is_refused(client: FlaskClient, response: str) -> None:
    assert send(client, "/account/passkeys/options").status_code == 200
    answer = send(client, "/account/passkeys/new", name="Laptop", passkey=response)
    assert answer.status_code == 422
    assert "The passkey was not accepted" in answer.text
    assert send(client, "/passkey-options").status_code == 200
    answer = send(client, "/confirm-identity", **{"proof-passkey": response})
    assert answer.status_code == 422
    assert "The passkey was not accepted" in answer.text


@pytest.mark.parametrize(
    "address", ["/commands/DropTables", f"/imports/{'0' * 8}-0000-4000-8000-{'0' * 12}/columns"]
)
@pytest.mark.parametrize("token", ["right", ""])
def test_a_form_of_nothing_is_not_found(client: FlaskClient, address: str, token: str) -> None:
    fields = {} if token else dict.fromkeys(("csrf_token", "proof-csrf_token"), "")
    assert send(client, address, **fields).status_code == (404 if token else 403)
