"""Single sign-on in Chromium, with a certified OpenID provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.environment import SettingsError
from cqrs_app.kernel.commands.context import Context
from cqrs_app.platform.operators.commands import ChangeOperatorRole
from cqrs_app.platform.operators.identities import Identity
from cqrs_app.platform.operators.tables import sessions
from cqrs_app.services import Services, services_of
from tests.console import MakeConsole
from tests.processes.running import eventually, free_port
from tests.services.openid_provider import openid_provider, settings_for

PASSWORD = "seven brown herons"
NEW_OPERATORS = {"oidc_roles": "ops=operator; leads=admin", "oidc_create_operators": True}


class Desk:
    """A console with a provider, and a browser at it."""

    def __init__(self, services: Services, address: str, new_page: Callable[..., Page]) -> None:
        self.services, self.address, self._new_page = services, address, new_page
        self.issuer = services.settings.oidc_issuer
        self.page = self.another_browser()

    def another_browser(self) -> Page:
        return self._new_page(base_url=self.address, viewport={"width": 1440, "height": 900})

    def start(self) -> None:
        self.page.goto("/sign-in")
        self.page.get_by_role("link", name="Sign in with Acme").click()

    def sign_in(self, login: str) -> None:
        self.start()
        answer_provider(self.page, login)

    def callback_for(self, login: str) -> str:
        """The address that the provider sends the browser to, which does not go there."""
        self.start()
        expect(self.page.get_by_label("Login")).to_be_visible()
        browser, here = self.page.request, self.page.url
        signed_in = browser.post(here, form={"login": login}, max_redirects=0)
        back = browser.get(signed_in.headers["location"], max_redirects=0)
        return back.headers["location"]

    def expect_signed_in(self, name: str) -> None:
        expect(self.page.locator(".side .who-name")).to_contain_text(name)

    def expect_refused(self, sentence: str) -> None:
        expect(self.page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()

    def create(self, name: str, role: str, *, subject: str = "") -> None:
        self.services.accounts.create(name, role, PASSWORD)
        if subject:
            self.services.identities.link(name, Identity(self.issuer, subject))

    def change(self, table: Any, **values: Any) -> None:
        with self.services.kernel.engines.write.begin() as connection:
            connection.execute(update(table).values(values))

    def open_sessions(self) -> list[str]:
        unended = select(sessions.c.operator).where(sessions.c.revoked_at.is_(None))
        with self.services.kernel.engines.write.connect() as connection:
            return list(connection.execute(unended).scalars())

    def roles(self) -> dict[str, str]:
        return {each.name: each.role for each in self.services.accounts.list()}


def answer_provider(page: Page, login: str) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_role("button", name="Sign in at the provider").click()


@pytest.fixture
def kind() -> str:
    """What is stored is tested on both databases elsewhere: tests/platform/operators."""
    return "sqlite"


@pytest.fixture
def make_desk(
    make_console: MakeConsole,
    serve: Callable[[Flask], str],
    new_page: Callable[..., Page],
    tmp_path: Path,
) -> Iterator[Callable[..., Desk]]:
    """`make_desk(**settings)`: a console with a provider of its own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Desk:
            port = free_port()
            app = make_console(**settings_for(port, **settings))
            address = serve(app)
            folder = tmp_path / "provider"
            folder.mkdir()
            stack.enter_context(openid_provider(port, address, folder))
            return Desk(services_of(app), address, new_page)

        yield make


def test_a_linked_operator_comes_to_the_page_and_keeps_the_role_given_here(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk()
    desk.create("mia", "operator", subject="maria-leads")
    desk.page.goto("/orders?status=placed")
    desk.page.get_by_role("link", name="Sign in with Acme").click()
    answer_provider(desk.page, "maria-leads")
    expect(desk.page).to_have_url(re.compile(r"/orders\?status=placed$"))
    desk.expect_signed_in("mia")
    assert desk.roles() == {"mia": "operator"}


def test_the_same_name_links_nobody(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.create("maria", "viewer")
    desk.sign_in("maria-leads")
    desk.expect_refused("There is an operator called maria already, who is not linked")
    assert desk.roles() == {"maria": "viewer"}
    assert desk.open_sessions() == []


def test_without_the_setting_nobody_new_gets_in(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.sign_in("maria-leads")
    desk.expect_refused("Nobody here is linked to your account at Acme.")
    assert desk.roles() == {}


def test_a_new_person_becomes_an_operator_whose_role_follows_the_claims(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.create("boss", "admin")
    desk.sign_in("zoe-ops-leads")
    desk.expect_signed_in("zoe")
    assert desk.roles() == {"boss": "admin", "zoe": "admin"}
    desk.services.accounts.send(ChangeOperatorRole(operator="zoe", role="viewer"))
    desk.page.context.clear_cookies()
    desk.sign_in("zoe-ops-leads")
    desk.expect_signed_in("zoe")
    assert desk.roles() == {"boss": "admin", "zoe": "admin"}
    stored = desk.services.kernel.store.events_of("operator-zoe")
    assert [each.type for each in stored] == [
        "OperatorInvited",
        "OperatorRoleChanged",
        "OperatorRoleChanged",
    ]
    assert desk.services.accounts.verify("zoe", "") is None
    desk.page.goto("/account")
    expect(desk.page.get_by_role("heading", name="Single sign-on")).to_be_visible()
    expect(desk.page.get_by_role("link", name="Change password")).to_have_count(0)


def test_who_has_no_role_gets_no_further(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.sign_in("zoe")
    desk.expect_refused("Your account at Acme gives you no role here.")
    assert desk.roles() == {}


def test_a_state_that_the_browser_did_not_start_signs_nobody_in(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(**NEW_OPERATORS)
    callback = desk.callback_for("zoe-ops")
    desk.page = desk.another_browser()
    for address in (callback, re.sub(r"state=[^&]*", "state=", callback)):
        desk.page.goto(address)
        desk.expect_refused("This sign-in was not started in this browser")
    assert desk.roles() == {}
    assert desk.open_sessions() == []


def test_a_code_is_accepted_once(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    callback = desk.callback_for("zoe-ops")
    desk.page.goto(callback)
    desk.expect_signed_in("zoe")
    desk.page.context.clear_cookies()
    desk.page.goto(callback)
    desk.expect_refused("This sign-in was not started in this browser")
    started = desk.page.request.get("/sign-in/provider", max_redirects=0).headers["location"]
    state = parse_qs(urlsplit(started).query)["state"][0]
    desk.page.goto(re.sub(r"state=[^&]*", f"state={state}", callback))
    desk.expect_refused("The answer of Acme was not accepted")


def test_an_expired_token_is_refused(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    provider = desk.services.openid_provider
    assert provider
    provider._clock = lambda: datetime.now(UTC) + timedelta(hours=2)
    desk.sign_in("zoe-ops")
    desk.expect_refused("The answer of Acme was not accepted")
    assert desk.roles() == {}


def test_an_answer_of_another_issuer_is_refused(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    callback = desk.callback_for("zoe-ops")
    desk.page.goto(re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Fother.example", callback))
    desk.expect_refused("Acme did not sign you in.")
    assert desk.roles() == {}


def test_a_disabled_operator_is_not_signed_in(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.create("mia", "operator", subject="maria-leads")
    desk.services.accounts.disable("mia")
    desk.sign_in("maria-leads")
    desk.expect_refused("This account is disabled.")
    assert desk.roles() == {"mia": "operator"}


def test_signing_out_at_the_provider_ends_the_session_here(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.sign_in("zoe-ops")
    desk.expect_signed_in("zoe")
    desk.create("mia", "operator")
    desk.services.sessions.open("mia")
    desk.page.goto(f"{desk.issuer}/session/end")
    desk.page.get_by_role("button", name="Yes").click()
    assert eventually(lambda: desk.open_sessions() == ["mia"])
    desk.page.goto("/account")
    expect(desk.page.get_by_role("link", name="Sign in with Acme")).to_be_visible()


def test_a_password_signs_in_emergency_accounts_only_where_local_sign_in_is_off(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(local_sign_in=False, break_glass_operators="boss")
    desk.create("boss", "admin")
    desk.create("mia", "operator")
    desk.page.goto("/sign-in")
    expect(desk.page.get_by_label("Password")).to_be_hidden()
    desk.page.get_by_text("Sign in with a password").click()
    for name, password in (("mia", PASSWORD), ("boss", "wrong"), ("nobody", PASSWORD)):
        desk.page.get_by_label("Name").fill(name)
        desk.page.get_by_label("Password").fill(password)
        desk.page.get_by_role("button", name="Sign in", exact=True).click()
        desk.expect_refused("is wrong, or the account signs in with Acme.")
    desk.page.get_by_label("Name").fill("boss")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_role("button", name="Sign in", exact=True).click()
    desk.expect_signed_in("boss")


def test_our_second_factor_is_asked_for_unless_the_providers_is_trusted(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(**NEW_OPERATORS, oidc_second_factor="mfa, hwk", second_factor_roles="operator")
    desk.sign_in("zoe-ops")
    expect(desk.page.get_by_role("heading", name="second factor")).to_be_visible()
    desk.page.context.clear_cookies()
    desk.sign_in("zoe-ops+mfa")
    desk.expect_signed_in("zoe")
    factors = desk.services.second_factors
    new = factors.new_app("zoe")
    factors.add_app("zoe", new.sealed, pyotp.TOTP(new.key).now())
    desk.page.context.clear_cookies()
    desk.sign_in("zoe-ops")
    expect(desk.page.get_by_role("heading", name="Second factor")).to_be_visible()
    desk.page.goto("/account")
    expect(desk.page.get_by_role("link", name="Sign in with Acme")).to_be_visible()


def test_who_has_no_password_confirms_at_the_provider_and_what_was_typed_is_kept(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.sign_in("zoe-leads")
    desk.expect_signed_in("zoe")
    kernel = desk.services.kernel
    actor = desk.services.accounts.get("zoe").actor
    register = RegisterCustomer(customer_id="C77", name="Ada L", country="Germany")
    kernel.commands.execute(register, Context(actor=actor, channel="test"))
    for name in kernel.registry.subscriptions:
        kernel.runner.advance(name)
    desk.change(sessions, verified_at=None)
    desk.page.goto("/customers/C77")
    desk.page.get_by_role("link", name="Erase customer").click()
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("asked by letter")
    dialog.get_by_role("button", name="Erase customer").click()
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog.get_by_text("Confirm with Acme first")).to_be_visible()
    with desk.page.expect_popup() as opened:
        dialog.get_by_role("link", name="Confirm with Acme").click()
    answer_provider(opened.value, "zoe-leads")
    expect(opened.value.get_by_text("Confirmed.")).to_be_visible()
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog).to_be_hidden()
    stored = kernel.store.events_of("customer-C77")
    assert "CustomerErased" in {each.type for each in stored}


def test_who_has_a_second_factor_does_not_confirm_at_the_provider(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.sign_in("zoe-leads")
    desk.expect_signed_in("zoe")
    factors = desk.services.second_factors
    new = factors.new_app("zoe")
    factors.add_app("zoe", new.sealed, pyotp.TOTP(new.key).now())
    desk.change(sessions, verified_at=None)
    desk.page.goto("/sign-in/provider?for=confirm")
    answer_provider(desk.page, "zoe-leads")
    expect(desk.page.get_by_text("You confirm with your second factor")).to_be_visible()
    desk.page.goto("/tokens/new")
    desk.page.get_by_label("Name").fill("till")
    desk.page.get_by_role("button", name="Create token").click()
    expect(desk.page.get_by_label("Code")).to_be_visible()


def test_somebody_else_at_the_provider_confirms_nothing(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(**NEW_OPERATORS)
    desk.sign_in("zoe-leads")
    desk.expect_signed_in("zoe")
    desk.change(sessions, verified_at=None)
    desk.page.goto("/tokens/new")
    desk.page.get_by_label("Name").fill("till")
    desk.page.get_by_role("button", name="Create token").click()
    # Otherwise the provider would end zoe's session, here too.
    desk.page.context.clear_cookies(name=re.compile("^_"))
    with desk.page.expect_popup() as opened:
        desk.page.get_by_role("link", name="Confirm with Acme").click()
    answer_provider(opened.value, "eve-leads")
    expect(opened.value.get_by_text("This is not the account at Acme")).to_be_visible()
    desk.page.get_by_role("button", name="Continue").click()
    expect(desk.page.get_by_text("Confirm with Acme first")).to_be_visible()
    assert desk.services.tokens.list() == []


def test_an_operator_links_their_account_and_signs_in_with_it(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk()
    desk.create("mia", "operator")
    desk.page.goto("/sign-in")
    desk.page.get_by_label("Name").fill("mia")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_role("button", name="Sign in", exact=True).click()
    desk.expect_signed_in("mia")
    desk.page.goto("/account")
    desk.page.get_by_role("link", name="Link account").click()
    answer_provider(desk.page, "maria-leads")
    expect(desk.page.get_by_text("Whoever signs in with Acme as maria will be")).to_be_visible()
    assert desk.services.identities.of("mia") is None
    desk.page.get_by_role("button", name="Link account").click()
    expect(desk.page.get_by_text("Linked. You can now sign in with Acme.")).to_be_visible()
    desk.page.context.clear_cookies()
    desk.sign_in("maria-leads")
    desk.expect_signed_in("mia")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"oidc_roles": "ops"}, "OIDC_ROLES has 'ops'. Write VALUE=ROLE"),
        ({"oidc_roles": "ops=boss"}, "OIDC_ROLES has 'boss', which is no role."),
        ({"oidc_default_role": "boss"}, "OIDC_DEFAULT_ROLE has 'boss', which is no role."),
    ],
)
def test_a_role_that_does_not_exist_is_refused_at_the_start(
    make_console: MakeConsole, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        make_console(**settings_for(9, **settings))


def test_a_provider_that_is_down_keeps_nobody_from_signing_in_locally(console_of_none: Any) -> None:
    client = console_of_none.test_client()
    answer = client.get("/sign-in/provider")
    assert answer.status_code == 503
    assert "Acme cannot be reached." in answer.text
    assert "Password" in answer.text
    logout = client.post("/sign-in/provider/logout", data={"logout_token": "a.b.c"})
    assert logout.status_code == 503


@pytest.fixture
def console_of_none(make_console: MakeConsole) -> Flask:
    """A console whose provider is down."""
    return make_console(**settings_for(free_port()))


def test_without_a_provider_its_addresses_are_not_there(console: Flask) -> None:
    client = console.test_client()
    assert client.get("/sign-in/provider").status_code == 404
    assert client.get("/sign-in/provider/callback?code=a&state=b").status_code == 404
    assert client.post("/sign-in/provider/logout").status_code == 404
    assert "provider" not in client.get("/sign-in").text
