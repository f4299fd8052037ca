from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update

from cqrs_app.interfaces.web.auth import page_below
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.tables import sessions
from tests.interfaces.web.conftest import COOKIE, PASSWORD, sign_in, token_in

HTMX = {"HX-Request": "true"}


def token_hashes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(sessions.c.token_hash)).scalars())


def next_of(location: str) -> list[str] | None:
    parts = urlsplit(location)
    assert parts.path == "/sign-in"
    assert not parts.netloc
    return parse_qs(parts.query).get("next")


# The gate


def test_a_page_behind_the_gate_leads_to_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/who?q=a%26b&page=2")
    assert answer.status_code == 303
    assert next_of(answer.location) == ["/who?q=a%26b&page=2"]
    back = sign_in(client, data={"next": "/who?q=a%26b&page=2"})
    assert (back.status_code, back.location) == (303, "/who?q=a%26b&page=2")


def test_the_page_sees_who_is_signed_in_and_what_the_role_may_do(mia: FlaskClient) -> None:
    answer = mia.get("/who").json
    assert answer is not None
    assert answer["name"] == "mia"
    assert "orders.approve" in answer["may"]
    assert "orders.cancel" not in answer["may"]


def test_every_view_is_closed_unless_marked_public(app: Flask) -> None:
    client = app.test_client()
    opened = set()
    for rule in app.url_map.iter_rules():
        # These two look at a kernel, which the console of these tests does not have.
        if rule.arguments or rule.endpoint in ("web.readyz", "web.prometheus"):
            continue
        methods: Any = rule.methods
        answer = client.open(rule.rule, method="GET" if "GET" in methods else "POST")
        closed = answer.headers.get("Location", "").startswith("/sign-in")
        if not closed and answer.status_code != 401:
            opened.add(rule.endpoint)
    assert opened >= {"web.sign_in", "anyone", "address"}
    views = app.view_functions
    assert all(getattr(views[endpoint], "is_public", False) for endpoint in opened)


def test_a_fragment_behind_the_gate_is_401_and_sends_the_whole_page_to_sign_in(
    client: FlaskClient,
) -> None:
    headers = HTMX | {"HX-Current-URL": "http://localhost/orders?state=held"}
    answer = client.get("/who", headers=headers)
    assert answer.status_code == 401
    assert next_of(answer.headers["HX-Redirect"]) == ["/orders?state=held"]


@pytest.mark.parametrize("page", ["https://evil.example/x", "//evil.example", "", "javascript:a"])
def test_a_fragment_of_another_site_leads_back_to_the_home_page(
    client: FlaskClient, page: str
) -> None:
    answer = client.get("/who", headers=HTMX | {"HX-Current-URL": page})
    assert next_of(answer.headers["HX-Redirect"]) == ["/"]


def test_a_task_sent_after_the_session_ended_is_not_done_and_leads_to_its_page(
    app: Flask, client: FlaskClient
) -> None:
    answer = client.post("/change", headers={"Referer": "http://localhost/orders/17"})
    assert answer.status_code == 303
    assert next_of(answer.location) == ["/orders/17"]
    assert "CHANGED" not in app.config


def test_static_files_are_open(client: FlaskClient) -> None:
    with client.get("/static/mark.svg") as answer:
        assert answer.status_code == 200


def test_an_unknown_address_is_not_found(client: FlaskClient) -> None:
    assert client.get("/no-such-page").status_code == 404


# Signing in


@pytest.mark.parametrize(
    ("name", "password"),
    [("mia", "wrong password"), ("nobody", PASSWORD), ("mia", "x" * 200), ("' OR 1=1", PASSWORD)],
)
def test_a_wrong_name_or_password_says_the_same(
    client: FlaskClient, engine: Engine, name: str, password: str
) -> None:
    answer = sign_in(client, name, password)
    assert answer.status_code == 422
    assert "The name or the password is wrong" in answer.text
    assert password not in answer.text
    assert token_hashes(engine) == []


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), ("mia", ""), ("", "")])
def test_an_incomplete_form_says_what_is_missing(
    client: FlaskClient, name: str, password: str
) -> None:
    answer = sign_in(client, name, password)
    assert answer.status_code == 422
    assert "Enter your name and password." in answer.text


def test_whoever_is_signed_in_skips_the_form(mia: FlaskClient) -> None:
    answer = mia.get("/sign-in?next=/who")
    assert (answer.status_code, answer.location) == (302, "/who")


def test_a_session_planted_before_sign_in_is_worth_nothing(app: Flask, engine: Engine) -> None:
    victim, attacker = app.test_client(), app.test_client()
    page = attacker.get("/sign-in").text
    planted = attacker.get_cookie(COOKIE)
    assert planted is not None
    victim.set_cookie(COOKIE, planted.value)
    answer = victim.post(
        "/sign-in", data={"name": "mia", "password": PASSWORD, "csrf_token": token_in(page)}
    )
    assert answer.status_code == 303
    renewed = victim.get_cookie(COOKIE)
    assert renewed is not None
    assert renewed.value != planted.value
    assert attacker.get("/who").status_code == 303
    # The form token the attacker knows is no longer the victim's.
    assert victim.post("/change", data={"csrf_token": token_in(page)}).status_code == 403
    assert "CHANGED" not in app.config


def test_signing_in_again_ends_the_session_before(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    sign_in(client)
    first = client.get_cookie(COOKIE)
    assert first is not None
    page = client.get("/form").text
    client.post(
        "/sign-in", data={"name": "mia", "password": PASSWORD, "csrf_token": token_in(page)}
    )
    assert len(token_hashes(engine)) == 2
    other = app.test_client()
    other.set_cookie(COOKIE, first.value)
    assert other.get("/who").status_code == 303


def test_the_cookie_holds_no_name_and_is_closed_to_scripts(
    make_app: Callable[..., Flask],
) -> None:
    answer = sign_in(make_app().test_client())
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "mia" not in cookie


def test_over_https_the_cookie_is_bound_to_the_host(make_app: Callable[..., Flask]) -> None:
    client = make_app(secure_cookies=True).test_client()
    answer = sign_in(client, base_url="https://desk.example")
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("secure", [False, True])
def test_the_hosts_of_a_console_share_a_cookie_and_two_consoles_do_not(
    make_app: Callable[..., Flask], *, secure: bool
) -> None:
    def name(key: str, port: int) -> str:
        app = make_app(personal_data_key=key, port=port, secure_cookies=secure)
        return str(app.config["SESSION_COOKIE_NAME"])

    assert name("ours", 8000) == name("ours", 8010)
    assert name("ours", 8000) != name("theirs", 8000)


# The end of a session


def test_a_cookie_copied_before_sign_out_is_worth_nothing_after(
    app: Flask, mia: FlaskClient
) -> None:
    copied = mia.get_cookie(COOKIE)
    assert copied is not None
    page = mia.get("/form").text
    answer = mia.post("/sign-out", data={"csrf_token": token_in(page)})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert mia.get("/who").status_code == 303
    thief = app.test_client()
    thief.set_cookie(COOKIE, copied.value)
    assert thief.get("/who").status_code == 303
    assert thief.get("/who", headers=HTMX).status_code == 401


def test_signing_out_needs_the_form(mia: FlaskClient) -> None:
    assert mia.get("/sign-out").status_code == 405
    assert mia.post("/sign-out").status_code == 403
    assert mia.get("/who").status_code == 200


def test_a_disabled_operator_is_out_with_the_next_request(
    mia: FlaskClient, accounts: Accounts
) -> None:
    assert mia.get("/who", headers=HTMX).status_code == 200
    accounts.disable("mia")
    assert mia.get("/who", headers=HTMX).status_code == 401
    assert mia.get("/who").status_code == 303


def test_a_new_password_ends_the_sessions_of_the_old_one(
    mia: FlaskClient, accounts: Accounts
) -> None:
    accounts.set_password("mia", "nine white swans")
    assert mia.get("/who").status_code == 303


def test_polls_keep_no_session_alive(app: Flask, mia: FlaskClient, engine: Engine) -> None:
    def seen() -> datetime:
        with engine.connect() as connection:
            found: datetime = connection.execute(select(sessions.c.seen_at)).scalar_one()
            return found

    earlier = datetime.now(UTC) - timedelta(minutes=20)
    with engine.begin() as connection:
        connection.execute(update(sessions).values(seen_at=earlier))
    assert mia.get("/polled", headers=HTMX).status_code == 200
    assert seen() == earlier
    assert mia.get("/who").status_code == 200
    assert seen() > earlier


# Guessing


def test_guessing_is_slowed_down_for_that_network_only(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(sign_in_attempts=3, sign_in_pause_seconds=60)
    here: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}}
    for _ in range(3):
        assert sign_in(app.test_client(), password="wrong password", **here).status_code == 422
    answer = sign_in(app.test_client(), **here)
    assert answer.status_code == 429
    assert re.search(r"Wait (60|5[0-9]) seconds, then try again\.", answer.text)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    elsewhere: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": "198.51.100.9"}}
    assert sign_in(app.test_client(), **elsewhere).status_code == 303


def from_address(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def test_one_address_tries_so_many_names_a_minute(make_app: Callable[..., Flask]) -> None:
    app = make_app(sign_in_attempts_per_address=3)
    names = ["mia", "ben", "zoe", "mia"]
    here = from_address("2001:db8:1:2::1")
    answers = [sign_in(app.test_client(), name=name, password="wrong", **here) for name in names]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert sign_in(app.test_client(), **from_address("2001:db8:1:2::9")).status_code == 429
    assert sign_in(app.test_client(), **from_address("2001:db8:1:3::1")).status_code == 303


@pytest.mark.parametrize("address", ["/passkey-options", "/account/passkeys/options"])
def test_one_address_is_given_so_many_options_of_passkeys_a_minute(
    make_app: Callable[..., Flask], address: str
) -> None:
    client = make_app(sign_in_attempts_per_address=3).test_client()
    sign_in(client)
    token = {"csrf_token": token_in(client.get("/form").text)}
    answers = [client.post(address, data=token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_all_addresses_together_try_so_often_a_minute(make_app: Callable[..., Flask]) -> None:
    app = make_app(sign_in_attempts_in_all=3)
    answers = [
        sign_in(app.test_client(), password="wrong", **from_address(f"203.0.113.{number}"))
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]


def test_success_forgets_the_wrong_guesses(make_app: Callable[..., Flask]) -> None:
    app = make_app(sign_in_attempts=3)
    for _ in range(3):
        sign_in(app.test_client(), password="wrong password")
        sign_in(app.test_client(), password="wrong password")
        assert sign_in(app.test_client()).status_code == 303


def test_a_password_of_a_megabyte_is_turned_away_before_it_is_hashed(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import argon2

    def hashed(*_: object) -> bool:
        raise AssertionError("the password was hashed")

    token = token_in(client.get("/sign-in").text)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", hashed)
    for size in (1_000, 1_100_000):
        data = {"name": "mia", "password": "x" * size, "csrf_token": token}
        answer = client.post("/sign-in", data=data)
        assert answer.status_code in (413, 422), size


# Where it leads

LOCAL = ["/", "/orders", "/orders?q=a&state=held", "/orders/17#lines", "/a//b", "/%5Cevil"]
FOREIGN = [
    None,
    "",
    "orders",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\x00/evil.example",
    "/\x7f/evil.example",
    "http://evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "mia@evil.example",
    "/\r\nSet-Cookie: a=b",
    "/sign-out",
    "/sign-in?next=/sign-in",
    "/" + "a" * 3_000,
]


@pytest.mark.parametrize("address", LOCAL)
def test_a_page_of_the_console_may_be_returned_to(address: str) -> None:
    assert page_below("", address) == address
    assert page_below("/operations", f"/operations{address}") == f"/operations{address}"


@pytest.mark.parametrize("address", FOREIGN)
def test_no_other_address_is_returned_to(app: Flask, address: str | None) -> None:
    assert page_below("", address) == "/"
    assert page_below("/operations", address) == "/operations/"
    answer = sign_in(app.test_client(), data={"next": address or ""})
    assert (answer.status_code, answer.location) == (303, "/")
    assert answer.headers.getlist("Set-Cookie")[0].startswith(COOKIE)
