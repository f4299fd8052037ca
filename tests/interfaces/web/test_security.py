from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from cqrs_app.interfaces.web.static_files import version_of
from cqrs_app.services import services_of
from tests.interfaces.web.conftest import COOKIE, PASSWORD, PROJECT, sign_in, token_in
from tests.interfaces.web.pages.test_second_factors import fields_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
)
EXACT = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
FOREIGN_ORIGINS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "whatever"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "null"},
]
OWN_ORIGINS = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://desk.example"},
]


# Headers


@pytest.mark.parametrize(
    "path", ["/sign-in", "/who", "/open", "/no-such-page", "/boom", "/static/mark.svg"]
)
def test_every_answer_has_the_exact_headers(app: Flask, path: str) -> None:
    app.testing = False  # a failing view answers 500 instead of raising
    client = app.test_client()
    sign_in(client)
    with client.get(path) as answer:
        assert {name: answer.headers.getlist(name) for name in EXACT} == {
            name: [value] for name, value in EXACT.items()
        }
        assert "Strict-Transport-Security" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/sign-in", "/who", "/open", "/no-such-page"])
def test_what_pages_show_is_stored_nowhere(mia: FlaskClient, path: str) -> None:
    assert mia.get(path).headers["Cache-Control"] == "no-store"


def test_https_is_for_good_where_cookies_are_secure(make_app: Callable[..., Flask]) -> None:
    answer = make_app(secure_cookies=True).test_client().get("/open")
    expected = "max-age=31536000; includeSubDomains"
    assert answer.headers["Strict-Transport-Security"] == expected


def test_an_error_tells_no_detail(app: Flask) -> None:
    app.testing = False
    client = app.test_client()
    sign_in(client)
    answer = client.get("/boom")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text


# Static files


def test_a_static_file_with_the_present_hash_is_kept_for_ever(app: Flask) -> None:
    with app.test_request_context():
        address = url_for("static", filename="js/console.js")
    assert re.fullmatch(r"/static/v-[0-9a-f]{12}/js/console\.js", address)
    with app.test_client().get(address) as answer:
        assert answer.status_code == 200
        assert answer.data == (PROJECT / "static/js/console.js").read_bytes()
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("address", ["/static/mark.svg", "/static/v-0123456789ab/mark.svg"])
def test_a_static_file_with_another_hash_or_none_is_asked_for_again(
    client: FlaskClient, address: str
) -> None:
    with client.get(address) as answer:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["ETag"]


@pytest.mark.parametrize(
    "address", ["/static/../app.py", "/static/v-0123456789ab/../../app.py", "/static/none.css"]
)
def test_nothing_outside_the_static_folder_is_served(client: FlaskClient, address: str) -> None:
    with client.get(address) as answer:
        assert answer.status_code == 404


def test_the_hash_changes_with_any_content_and_name(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    file = tmp_path / "css" / "a.css"
    seen = set()
    for content in ("a {}", "b {}"):
        file.write_text(content)
        seen.add(version_of(tmp_path))
    file.rename(tmp_path / "css" / "b.css")
    seen.add(version_of(tmp_path))
    assert len(seen) == 3


# Forged changes


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}])
def test_a_change_without_the_token_is_not_done(
    app: Flask, mia: FlaskClient, method: str, htmx: dict[str, str]
) -> None:
    answer = mia.open("/change", method=method, headers=htmx)
    assert answer.status_code == 403
    assert "nothing was changed" in answer.text
    assert "CHANGED" not in app.config


def test_a_change_with_the_token_of_another_session_is_not_done(
    app: Flask, mia: FlaskClient
) -> None:
    other = app.test_client()
    sign_in(other)
    foreign = token_in(other.get("/form").text)
    for token in (foreign, foreign + "x", "x", ""):
        assert mia.post("/change", data={"csrf_token": token}).status_code == 403
        assert mia.post("/change", headers={"X-CSRFToken": token}).status_code == 403
    assert "CHANGED" not in app.config


def test_a_change_with_the_token_in_form_or_header_is_done(app: Flask, mia: FlaskClient) -> None:
    token = token_in(mia.get("/form").text)
    assert mia.post("/change", data={"csrf_token": token}).status_code == 200
    assert mia.post("/change", headers={"X-CSRFToken": token}).status_code == 200
    assert app.config["CHANGED"] == 2


@pytest.mark.parametrize("headers", FOREIGN_ORIGINS)
def test_a_change_from_another_sites_page_is_not_done_even_with_the_token(
    app: Flask, mia: FlaskClient, headers: dict[str, str]
) -> None:
    token = token_in(mia.get("/form").text)
    answer = mia.post("/change", headers=headers | {"X-CSRFToken": token})
    assert answer.status_code == 403
    assert "another web site" in answer.text
    assert "nothing was changed" in answer.text
    assert "CHANGED" not in app.config


@pytest.mark.parametrize("headers", OWN_ORIGINS)
def test_a_change_from_the_consoles_own_page_is_done(
    mia: FlaskClient, headers: dict[str, str]
) -> None:
    token = token_in(mia.get("/form").text)
    assert mia.post("/change", headers=headers | {"X-CSRFToken": token}).status_code == 200


def test_signing_in_is_protected_too(client: FlaskClient) -> None:
    data = {"name": "mia", "password": "seven brown herons"}
    assert client.post("/sign-in", data=data).status_code == 403
    answer = sign_in(client, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_link_from_another_site_still_opens_a_page(mia: FlaskClient) -> None:
    assert mia.get("/who", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


# Limits, hosts, proxies


def test_a_request_larger_than_the_setting_is_turned_away(
    make_app: Callable[..., Flask],
) -> None:
    client = make_app(max_request_bytes=1_000).test_client()
    answer = sign_in(client, password="x" * 2_000)
    assert answer.status_code == 413


@pytest.mark.parametrize("host", ["evil.example", "desk.example.evil.example", "a b"])
def test_another_host_name_than_the_settings_is_turned_away(
    make_app: Callable[..., Flask], host: str
) -> None:
    client = make_app(trusted_hosts="desk.example, .desk.internal").test_client()
    assert client.get("/open", headers={"Host": host}).status_code == 400
    assert client.get("/who", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["desk.example", "eu.desk.internal", "127.0.0.1:8000"])
def test_the_settings_host_names_are_served(make_app: Callable[..., Flask], host: str) -> None:
    client = make_app(trusted_hosts="desk.example, .desk.internal").test_client()
    assert client.get("/open", headers={"Host": host}).status_code == 200


FORWARDED = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "desk.example",
}


def test_without_a_proxy_nobody_can_choose_their_address(client: FlaskClient) -> None:
    answer = client.get("/address", headers=FORWARDED)
    assert answer.json == {"address": "127.0.0.1", "scheme": "http", "host": "localhost"}


def test_behind_one_proxy_only_what_it_added_counts(make_app: Callable[..., Flask]) -> None:
    answer = make_app(proxy_hops=1).test_client().get("/address", headers=FORWARDED)
    assert answer.json == {"address": "203.0.113.7", "scheme": "https", "host": "desk.example"}


def test_a_key_being_replaced_keeps_sessions_open(
    make_app: Callable[..., Flask],
) -> None:
    old = make_app(secret_key="old").test_client()
    sign_in(old)
    cookie = old.get_cookie(COOKIE)
    assert cookie is not None
    for fallbacks, status in (("old", 200), ("", 303)):
        client = make_app(secret_key="new", secret_key_fallbacks=fallbacks).test_client()
        client.set_cookie(COOKIE, cookie.value)
        assert client.get("/who").status_code == status


# Networks


def test_a_role_is_used_from_its_networks_only(make_app: Callable[..., Flask]) -> None:
    app = make_app(role_networks="operator=10.1.0.0/16,fd12::/16; admin=127.0.0.1/32")
    client = app.test_client()
    assert sign_in(client).status_code == 303
    for address, status in (
        ("10.1.2.3", 200),
        ("fd12::1", 200),
        ("::ffff:10.1.2.3", 200),
        ("10.2.0.1", 403),
        ("127.0.0.1", 403),
        ("fd13::1", 403),
    ):
        answer = client.get("/who", environ_overrides={"REMOTE_ADDR": address})
        assert answer.status_code == status, address
    refused = client.get("/polled")
    assert refused.status_code == 403
    assert "The role operator cannot be used from your network." in refused.text
    token = token_in(client.get("/form", environ_overrides={"REMOTE_ADDR": "10.1.2.3"}).text)
    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 303


def test_a_role_that_is_not_named_is_used_from_anywhere(make_app: Callable[..., Flask]) -> None:
    client = make_app(role_networks="admin=10.0.0.0/8").test_client()
    sign_in(client)
    assert client.get("/who", environ_overrides={"REMOTE_ADDR": "203.0.113.9"}).status_code == 200


def test_a_form_kept_through_the_sign_in_is_not_shown_to_another_network(
    make_console: Callable[..., Flask],
) -> None:
    client = make_console(role_networks="operator=10.1.0.0/16").test_client()
    services_of(client.application).accounts.create("olga", "operator", "seven brown herons")
    first = client.post("/commands/RegisterCustomer", data={"name": "Ada L"})
    assert first.status_code == 401
    sent = fields_of(first.text) | {
        "sign-in-name": "olga",
        "sign-in-password": "seven brown herons",
    }
    answer = client.post("/commands/RegisterCustomer", data=sent)
    assert answer.status_code == 403
    assert "cannot be used from your network" in answer.text


def test_metrics_are_for_this_machine_or_for_who_has_the_token(
    make_console: Callable[..., Flask],
) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    client = make_console().test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_overrides=elsewhere).status_code == 403
    client = make_console(metrics_token="a token of the test").test_client()
    for sent, status in (
        ("Bearer a token of the test", 200),
        ("Bearer a token of the tes", 401),
        ("Bearer \u00e4", 401),
        ("", 401),
    ):
        for place in ({}, elsewhere):
            answer = client.get(
                "/metrics", headers={"Authorization": sent}, environ_overrides=place
            )
            assert answer.status_code == status


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_on_this_machine_passes_on_is_not_from_this_machine(
    make_console: Callable[..., Flask], name: str
) -> None:
    console = make_console(role_networks="admin=127.0.0.0/8")
    client, passed_on = console.test_client(), {name: "for=127.0.0.1"}
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers=passed_on).status_code == 403
    secret = services_of(console).tokens.create(
        "till", "viewer", networks="127.0.0.1/32", made_by="test"
    )
    bearer = {"Authorization": f"Bearer {secret}"}
    question = "/api/v1/queries/OrdersByStatus"
    assert client.get(question, headers=bearer).status_code == 200
    assert client.get(question, headers=bearer | passed_on).json["code"] == "wrong_network"
    services_of(console).accounts.create("boss", "admin", PASSWORD)
    with client.session_transaction() as cookie:
        cookie["token"] = services_of(console).sessions.open("boss")
    assert client.get("/catalogue").status_code == 200
    assert client.get("/catalogue", headers=passed_on).status_code == 403


def test_a_proxy_that_is_counted_says_who_it_is(make_console: Callable[..., Flask]) -> None:
    client = make_console(proxy_hops=1).test_client()
    for address, status in (("127.0.0.1", 200), ("203.0.113.7", 403)):
        answer = client.get("/metrics", headers={"X-Forwarded-For": address})
        assert answer.status_code == status
