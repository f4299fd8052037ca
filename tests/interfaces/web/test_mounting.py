"""The console inside another Flask application: below its prefix, with the users of Flask-Login."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask import Flask, request
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy import select
from werkzeug.test import TestResponse

from cqrs_app.mounting import FlaskLoginUsers, HostUser, mount
from cqrs_app.platform.operators.tables import sessions
from cqrs_app.services import services_of
from tests.console import MakeConsole

PREFIX = "/operations"
ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post")
PAGES = (
    *("", "orders", "orders?status=placed", "customers", "products", "payments", "expenses"),
    *("approvals", "batches", "views", "notifications", "account", "search?text=CS", "reports"),
    *("commands/PlaceOrder", "operators", "tokens", "webhooks", "system", "catalogue", "failures"),
)


class Account(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    def __init__(self, name: str) -> None:
        self.id = name


@dataclass
class Intranet:
    """The host, with a page of its own, its users' roles in the console, and when they last proved
    who they are."""

    app: Flask
    roles: dict[str, str] = field(default_factory=lambda: {"maria": "operator", "root": "admin"})
    proven_at: dict[str, datetime] = field(default_factory=dict)

    def browser(self, name: str = "") -> FlaskClient:
        """A browser, signed in to the host as this user."""
        browser = self.app.test_client()
        if name:
            self.sign_in(browser, name)
        return browser

    def sign_in(self, browser: FlaskClient, name: str) -> None:
        self.proven_at[name] = datetime.now(UTC)
        assert browser.get(f"/login?as={name}").status_code == 200

    def describe(self, user: Account) -> HostUser:
        return HostUser(
            id=f"number {user.id}",
            name=user.id,
            display_name=user.id.title(),
            role=self.roles.get(user.id, ""),
            proven_at=self.proven_at[user.id],
        )


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    return make_shop()


@pytest.fixture
def intranet(shop: Flask) -> Iterator[Intranet]:
    host = Flask("intranet")
    host.secret_key = "of the host"
    logins = LoginManager(host)
    logins.login_view = "login"
    logins.user_loader(Account)

    @host.get("/")
    def front() -> str:
        return f"Hello {current_user.get_id()}"

    @host.get("/login")
    def login() -> str:
        login_user(Account(request.args["as"]))
        return "in"

    @host.get("/logout")
    def logout() -> str:
        logout_user()
        return "out"

    made = Intranet(host)
    users = FlaskLoginUsers(made.describe, name="the intranet", sign_out="logout")
    mount(host, shop, PREFIX, users)
    return made


def at(path: str) -> str:
    return f"{PREFIX}/{path}"


def sent(browser: FlaskClient, form: TestResponse, **more: str) -> TestResponse:
    """The form of a page, sent as it is."""
    page = BeautifulSoup(form.text, "html.parser")
    found = page.select_one("#command")
    assert found is not None, page.title
    fields = {str(each["name"]): str(each.get("value", "")) for each in found.select("input[name]")}
    return browser.post(str(found["action"]), data=fields | more)


def test_the_host_answers_everything_else(intranet: Intranet) -> None:
    browser = intranet.browser("maria")
    assert browser.get("/").text == "Hello maria"
    assert browser.get("/operationsroom").status_code == 404


def test_who_is_signed_in_to_the_host_is_signed_in_with_the_role_they_have_there(
    intranet: Intranet, shop: Flask
) -> None:
    page = intranet.browser("maria").get(at("orders"))
    assert page.status_code == 200
    account = services_of(shop).accounts.get("maria")
    assert (account.role, account.display_name) == ("operator", "Maria")


def test_who_is_not_signs_in_at_the_host_and_comes_back(intranet: Intranet) -> None:
    answer = intranet.browser().get(at("orders?status=placed"))
    assert answer.status_code == 303
    led_to = urlsplit(answer.location)
    assert led_to.path == "/login"
    assert parse_qs(led_to.query) == {"next": [at("orders?status=placed")]}


def test_signing_out_of_the_host_ends_the_session_here(intranet: Intranet) -> None:
    browser = intranet.browser("maria")
    browser.get(at("orders"))
    browser.get("/logout")
    assert browser.get(at("orders")).status_code == 303


def test_who_is_signed_in_to_the_host_comes_in_again_until_the_account_is_disabled(
    intranet: Intranet, shop: Flask
) -> None:
    browser = intranet.browser("maria")
    browser.get(at("orders"))
    assert services_of(shop).sessions.end_all("maria") == 1
    assert browser.get(at("orders")).status_code == 200
    services_of(shop).accounts.disable("maria")
    refused = browser.get(at("orders"))
    assert refused.status_code == 403
    assert "This account is disabled." in refused.text


def test_signing_out_here_leads_to_the_host(intranet: Intranet) -> None:
    browser = intranet.browser("maria")
    page = BeautifulSoup(browser.get(at("account")).text, "html.parser")
    token = page.select_one("[data-sign-out] [name=csrf_token]")
    assert token is not None
    answer = browser.post(at("sign-out"), data={"csrf_token": token["value"]})
    assert (answer.status_code, answer.location) == (303, "/logout")


def test_another_user_of_the_same_browser_gets_a_session_of_their_own(intranet: Intranet) -> None:
    browser = intranet.browser("maria")
    browser.get(at(""))
    assert browser.get(at("operators")).status_code == 403
    intranet.sign_in(browser, "root")
    assert browser.get(at("operators")).status_code == 200


def test_a_change_of_the_role_at_the_host_counts_at_once(intranet: Intranet) -> None:
    browser = intranet.browser("root")
    assert browser.get(at("operators")).status_code == 200
    intranet.roles["root"] = "viewer"
    assert browser.get(at("operators")).status_code == 403
    del intranet.roles["root"]
    refused = browser.get(at("orders"))
    assert refused.status_code == 403
    assert "Your account at the intranet gives you no role here." in refused.text


def test_a_local_account_of_the_same_name_is_not_taken_over(
    intranet: Intranet, shop: Flask
) -> None:
    services_of(shop).accounts.create("maria", "admin", "nine grey geese on a lake")
    refused = intranet.browser("maria").get(at("orders"))
    assert refused.status_code == 403
    assert "There is an operator called maria already" in refused.text


def test_a_password_of_the_console_opens_nothing(intranet: Intranet, shop: Flask) -> None:
    services_of(shop).accounts.create("local", "admin", "nine grey geese on a lake")
    browser = intranet.browser()
    token = services_of(shop).sessions.open("local")
    with shop.test_client() as other, other.session_transaction() as cookie:
        cookie["token"] = token
    name = shop.config["SESSION_COOKIE_NAME"]
    stolen = other.get_cookie(name)
    assert stolen is not None
    browser.set_cookie(name, stolen.value)
    assert browser.get(at("orders")).status_code == 303
    assert services_of(shop).sessions.find(token) is None


def test_a_command_goes_through_its_form_and_back_to_its_page(intranet: Intranet) -> None:
    browser = intranet.browser("root")
    form = browser.get(at("commands/RegisterCustomer"))
    answer = sent(browser, form, customer_id="C-77", email="c77@example.com", name="Seven")
    assert (answer.status_code, answer.location) == (303, at("customers/C-77"))


def test_a_sensitive_action_is_confirmed_at_the_host(intranet: Intranet) -> None:
    browser = intranet.browser("root")
    browser.get(at(""))
    intranet.proven_at["root"] = datetime.now(UTC) - timedelta(hours=1)
    browser = intranet.app.test_client()
    browser.get("/login?as=root")
    asked = browser.get(at("account/authenticator"), follow_redirects=True)
    assert "Confirm with the intranet" in asked.text
    intranet.proven_at["root"] = datetime.now(UTC)
    assert (
        "Confirm with" not in browser.get(at("account/authenticator"), follow_redirects=True).text
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_proof_in_the_future_is_one_of_now(intranet: Intranet, shop: Flask) -> None:
    browser = intranet.browser("root")
    intranet.proven_at["root"] += timedelta(hours=5)
    assert browser.get(at("account")).status_code == 200
    with services_of(shop).kernel.engines.write.connect() as connection:
        proven = connection.execute(select(sessions.c.verified_at)).scalar_one()
    assert proven <= datetime.now(UTC)


def test_a_proof_has_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        HostUser(id="7", name="maria", role="operator", proven_at=datetime(2026, 3, 2, 12))  # noqa: DTZ001


def test_no_page_leads_out_of_the_prefix(intranet: Intranet) -> None:
    browser = intranet.browser("root")
    for path in PAGES:
        page = browser.get(at(path))
        assert page.status_code == 200, path
        outside = [
            (name, tag[name])
            for tag in BeautifulSoup(page.text, "html.parser").find_all(True)
            for name in ADDRESSES
            if str(tag.get(name, "")).startswith("/")
            and not str(tag[name]).startswith(f"{PREFIX}/")
        ]
        assert outside == [], path


def test_the_api_keeps_its_tokens(intranet: Intranet, shop: Flask) -> None:
    secret = services_of(shop).tokens.create("partner", "viewer", made_by="test")
    browser = intranet.browser()
    headers = {"Authorization": f"Bearer {secret}"}
    assert browser.get(at("api/v1/queries/ListOrders"), headers=headers).status_code == 200
    assert browser.get(at("api/v1/queries/ListOrders")).status_code == 401


@pytest.mark.parametrize("prefix", ["", "/", "operations", "/operations/"])
def test_a_prefix_is_a_path(prefix: str) -> None:
    users = FlaskLoginUsers(lambda user: user, name="x", sign_out="x")
    with pytest.raises(ValueError, match="is no prefix"):
        mount(Flask("host"), Flask("console"), prefix, users)
