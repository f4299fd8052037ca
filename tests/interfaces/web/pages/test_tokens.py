"""Making and revoking API tokens in the console."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.platform.operators.tokens import Tokens
from cqrs_app.services import services_of
from tests.interfaces.web.conftest import token_in
from tests.interfaces.web.pages.conftest import client_in


@pytest.fixture
def tokens(console: Flask) -> Tokens:
    made: Tokens = services_of(console).tokens
    return made


@pytest.fixture
def admin(console: Flask) -> FlaskClient:
    return client_in(console, "admin")


def send(client: FlaskClient, address: str, **data: Any) -> Any:
    form = client.get(address)
    return client.post(address, data={"csrf_token": token_in(form.text), **data})


def test_a_token_is_shown_once_on_the_answer_and_nowhere_else(
    admin: FlaskClient, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = send(admin, "/tokens/new", name="till", role="operator", expires_days="30")
    assert answer.status_code == 200
    secret = re.search(r'value="(cs_[^"]+)"', answer.text)
    assert secret
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers
    token = tokens.find(secret[1])
    assert token is not None
    assert (token.name, token.role, token.made_by) == ("till", "operator", "admin")
    assert token.expires_at is not None
    assert (token.expires_at - token.created_at).days in (29, 30)
    assert secret[1] not in admin.get("/tokens").text
    assert secret[1] not in caplog.text
    with admin.session_transaction() as cookie:
        assert secret[1] not in str(dict(cookie))


def test_a_token_may_be_narrowed_but_not_beyond_its_role(
    admin: FlaskClient, tokens: Tokens
) -> None:
    refused = send(admin, "/tokens/new", name="till", role="viewer", permissions="orders.cancel")
    assert refused.status_code == 422
    assert "The role viewer does not have orders.cancel." in refused.text
    assert 'value="till"' in refused.text, "what was entered is kept"
    assert tokens.list() == []
    made = send(admin, "/tokens/new", name="till", role="viewer", permissions="orders.view")
    assert made.status_code == 200
    assert tokens.list()[0].permissions == {"orders.view"}
    assert "only orders.view" in admin.get("/tokens").text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": ""}, "Required."),
        ({"name": "a b"}, "cannot be a token&#39;s name"),
        ({"expires_days": "0"}, "Enter a number of days from 1 to 3650."),
        ({"role": "king"}, "Not a valid choice."),
        ({"permissions": "orders.burn"}, "valid choice"),
    ],
)
def test_what_cannot_be_used_makes_no_token(
    admin: FlaskClient, tokens: Tokens, data: dict[str, str], sentence: str
) -> None:
    answer = send(admin, "/tokens/new", **{"name": "till", "role": "viewer", **data})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert tokens.list() == []


def test_revoking_asks_first_and_then_ends_it(admin: FlaskClient, tokens: Tokens) -> None:
    secret = tokens.create("till", "viewer", made_by="zoe")
    assert "Revoke token till" in admin.get("/tokens/till/revoke").text
    assert tokens.find(secret)
    answer = send(admin, "/tokens/till/revoke")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tokens")
    assert tokens.find(secret) is None
    listed = admin.get("/tokens").text
    assert "till is revoked: whoever uses it is refused from now on." in listed
    assert "by admin," in listed
    assert admin.get("/tokens/till/revoke").status_code == 404


def test_a_token_revoked_by_two_people_is_revoked_once(admin: FlaskClient, tokens: Tokens) -> None:
    tokens.create("till", "viewer", made_by="zoe")
    form = token_in(admin.get("/tokens/till/revoke").text)
    tokens.revoke("till", "mia")
    answer = admin.post("/tokens/till/revoke", data={"csrf_token": form}, follow_redirects=True)
    assert "There is no token called till that works. Nothing was changed." in answer.text
    assert tokens.list()[0].revoked_by == "mia"


@pytest.mark.parametrize("role", ["viewer", "operator", "supervisor"])
def test_only_administrators_make_and_revoke_tokens(
    console: Flask, tokens: Tokens, role: str
) -> None:
    console.config["WTF_CSRF_ENABLED"] = False
    secret, client = tokens.create("till", "viewer", made_by="zoe"), client_in(console, role)
    for address in ("/tokens/new", "/tokens/till/revoke"):
        assert client.post(address, data={"name": "mine", "role": "admin"}).status_code == 403
    assert tokens.find(secret)
    assert len(tokens.list()) == 1
    assert 'href="/tokens"' not in client.get("/").text


@pytest.mark.parametrize(
    ("address", "status"), [("/tokens/new", 422), ("/tokens/till/revoke", 403)]
)
def test_a_form_without_the_sessions_token_does_nothing(
    admin: FlaskClient, tokens: Tokens, address: str, status: int
) -> None:
    tokens.create("till", "viewer", made_by="zoe")
    data = {"name": "theirs", "role": "admin"}
    assert admin.post(address, data=data).status_code == status
    assert [each.revoked_at for each in tokens.list()] == [None]


def test_no_tokens_yet_says_what_they_are_for(
    admin: FlaskClient, client_of_nobody: Callable[[], FlaskClient]
) -> None:
    assert "No tokens yet" in admin.get("/tokens").text
    assert client_of_nobody().get("/tokens").status_code == 303


@pytest.fixture
def client_of_nobody(console: Flask) -> Callable[[], FlaskClient]:
    return console.test_client


def test_a_token_ends_after_ninety_days_unless_another_time_is_chosen(
    admin: FlaskClient, tokens: Tokens
) -> None:
    assert re.search(r'name="expires_days"[^>]*value="90"', admin.get("/tokens/new").text)
    send(admin, "/tokens/new", name="till", role="operator", expires_days="")
    assert tokens.list()[0].expires_at is None
