"""Changing one's password, and having to."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.services import services_of
from tests.interfaces.web.conftest import sign_in, token_in

FIRST, NEW = "seven brown herons", "lamplight gravel tuba"


@pytest.fixture
def accounts(console: Flask) -> Accounts:
    made: Accounts = services_of(console).accounts
    return made


@pytest.fixture
def mia(console: Flask, accounts: Accounts) -> FlaskClient:
    """Signed in with the password that somebody else chose for her."""
    accounts.create("mia", "operator", FIRST, "Mia Lund", must_change_password=True)
    client = console.test_client()
    assert sign_in(client, "mia", FIRST).location == "/"
    return client


def change(client: FlaskClient, current: str, new: str, again: str | None = None) -> Any:
    token = token_in(client.get("/account/password").text)
    values = {"current": current, "new": new, "again": new if again is None else again}
    return client.post("/account/password", data={"csrf_token": token, **values})


def test_with_a_password_that_somebody_else_chose_nothing_else_is_open(mia: FlaskClient) -> None:
    for address in ("/", "/orders?stage=shipped", "/account", "/commands/PlaceOrder"):
        answer = mia.get(address)
        assert answer.status_code == 303
        assert answer.location.startswith("/account/password?next=/")
    assert mia.get("/orders?stage=shipped").location.endswith("next=/orders?stage%3Dshipped")
    assert mia.post("/commands/PlaceOrder").status_code in {303, 400}
    fragment = mia.get("/orders", headers={"HX-Request": "true"})
    assert fragment.status_code == 403
    assert fragment.headers["HX-Redirect"].startswith("/account/password")
    page = mia.get("/account/password").text
    assert "Somebody else set the password" in page
    assert 'href="/orders"' not in page


def test_after_the_change_everything_is_open_with_a_new_session(
    console: Flask, mia: FlaskClient, accounts: Accounts
) -> None:
    sessions: Sessions = services_of(console).sessions
    elsewhere = sessions.open("mia")
    with mia.session_transaction() as cookie:
        before = cookie["token"]
    answer = change(mia, FIRST, NEW)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Password changed" in mia.get("/").text
    assert sessions.find(elsewhere) is None
    assert sessions.find(before) is None
    assert accounts.verify("mia", FIRST) is None
    assert accounts.verify("mia", NEW)


@pytest.mark.parametrize(
    ("current", "new", "again", "sentence"),
    [
        ("wrong password", NEW, NEW, "The current password is wrong"),
        (FIRST, NEW, "something else", "This differs from the new password"),
        (FIRST, FIRST, FIRST, "This is the current password"),
        (FIRST, "short", "short", "use at least 12 characters"),
        (FIRST, "mia-lund-2026", "mia-lund-2026", "easily guessed"),
        (FIRST, "Countersign-2026", "Countersign-2026", "easily guessed"),
        (FIRST, "", "", "Required"),
    ],
)
def test_what_cannot_be_used_says_so_at_its_field_and_changes_nothing(
    mia: FlaskClient, accounts: Accounts, current: str, new: str, again: str, sentence: str
) -> None:
    answer = change(mia, current, new, again)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{new}"' not in answer.text or not new
    assert accounts.verify("mia", FIRST)
    assert mia.get("/").location.startswith("/account/password")


def test_guessing_the_current_password_is_slowed_down_like_signing_in(mia: FlaskClient) -> None:
    answers = [change(mia, "wrong password", NEW).text for _ in range(7)]
    assert "The current password is wrong" in answers[0]
    assert "Too many attempts" in answers[-1]
    assert "Too many attempts" in change(mia, FIRST, NEW).text


def test_whoever_chose_their_password_may_change_it(console: Flask, accounts: Accounts) -> None:
    accounts.create("ben", "viewer", FIRST)
    client = console.test_client()
    sign_in(client, "ben", FIRST)
    assert "All other sessions end" in client.get("/account/password").text
    assert change(client, FIRST, NEW).status_code == 303
    assert accounts.verify("ben", NEW)
