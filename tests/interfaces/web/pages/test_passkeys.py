"""Passkeys in Chromium, with its virtual authenticator."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.kernel.commands.context import Context
from cqrs_app.platform.operators.tables import passkeys, sessions
from cqrs_app.services import Services, services_of
from tests.interfaces.web.conftest import token_in

PASSWORD = "seven brown herons"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """A browser with an authenticator, in which Mia works."""

    def __init__(self, page: Page, services: Services) -> None:
        self.page, self.services = page, services
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        added = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        self._id = added["authenticatorId"]

    def verifies_its_user(self, verified: bool) -> None:
        self._cdp.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": verified}
        )

    def sign_in_with_password(self) -> None:
        self.page.goto("/sign-in")
        self.page.get_by_label("Name").fill("mia")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def sign_out(self) -> None:
        self.page.goto("/account")
        self.page.locator(".side").get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_label("Password")).to_be_visible()

    def add_passkey(self, name: str) -> None:
        self.page.goto("/account/passkeys/new")
        expect(self.page.get_by_text("No passkey was added")).to_be_hidden()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Add passkey").click()

    def use_passkey(self) -> None:
        self.page.get_by_role("button", name="Use a passkey").click()

    def row(self) -> Any:
        with self.services.kernel.engines.write.connect() as connection:
            return connection.execute(select(passkeys)).one()


@pytest.fixture
def device(console: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Page]) -> Device:
    # An address is no domain, which a passkey belongs to.
    address = serve(console).replace("127.0.0.1", "localhost")
    services = services_of(console)
    services.accounts.create("mia", "admin", PASSWORD)
    device = Device(new_page(base_url=address, viewport={"width": 1440, "height": 900}), services)
    device.sign_in_with_password()
    expect(device.page.get_by_role("main")).to_be_visible()
    return device


@pytest.fixture
def mia(device: Device) -> Device:
    """With a passkey, and signed out."""
    device.add_passkey("Laptop")
    expect(device.page.get_by_text("They are shown once.")).to_be_visible()
    device.sign_out()
    return device


def test_a_passkey_is_added_listed_and_removed(device: Device) -> None:
    device.add_passkey("Laptop")
    expect(device.page.locator(".recovery-codes li")).to_have_count(10)
    device.page.get_by_role("link", name="Done, the codes are saved").click()
    row = device.page.locator(".factors li", has_text="Laptop")
    expect(row).to_contain_text("passkey")
    stored = device.row()
    assert (stored.operator, stored.sign_count, stored.backup_eligible) == ("mia", 1, False)
    device.add_passkey("Again")  # the device has one already
    expect(device.page.get_by_text("No passkey was added")).to_be_visible()
    device.page.goto("/account")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert not device.services.accounts.get("mia").has_second_factor


def test_a_passkey_alone_signs_in(mia: Device) -> None:
    mia.page.goto("/sign-in?next=/orders")
    mia.use_passkey()
    expect(mia.page).to_have_url(re.compile("/orders$"))
    expect(mia.page.locator(".side .who-name")).to_contain_text("mia")
    assert mia.row().sign_count == 2
    assert mia.row().last_used_at


def test_a_passkey_is_the_second_factor_of_a_password(mia: Device) -> None:
    mia.sign_in_with_password()
    expect(mia.page.get_by_role("heading", name="Second factor")).to_be_visible()
    mia.use_passkey()
    expect(mia.page.locator(".side .who-name")).to_contain_text("mia")


def test_a_passkey_confirms_a_sensitive_action(mia: Device) -> None:
    mia.page.goto("/sign-in")
    mia.use_passkey()
    expect(mia.page.locator(".side .who-name")).to_contain_text("mia")
    with mia.services.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=None))
    mia.page.goto("/tokens/new")
    mia.page.get_by_label("Name").fill("till")
    mia.page.get_by_role("button", name="Create token").click()
    expect(mia.page.get_by_role("heading", name="Confirm it's you")).to_be_visible()
    assert mia.services.tokens.list() == []
    mia.use_passkey()
    expect(mia.page.get_by_role("heading", name="Token till created")).to_be_visible()


def test_a_command_asks_in_its_dialog_and_is_then_carried_out(mia: Device) -> None:
    mia.page.goto("/sign-in")
    mia.use_passkey()
    expect(mia.page.locator(".side .who-name")).to_contain_text("mia")
    actor = mia.services.accounts.get("mia").actor
    register = RegisterCustomer(customer_id="C77", name="Ada L", country="Germany")
    mia.services.kernel.commands.execute(register, Context(actor=actor, channel="test"))
    for name in mia.services.kernel.registry.subscriptions:
        mia.services.kernel.runner.advance(name)
    with mia.services.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=None))
    mia.page.goto("/customers/C77")
    mia.page.get_by_role("link", name="Erase customer").click()
    dialog = mia.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("asked by letter")
    dialog.get_by_role("button", name="Erase customer").click()
    expect(dialog.get_by_role("heading", name="Confirm it's you")).to_be_visible()
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(dialog).to_be_hidden()
    stored = mia.services.kernel.store.events_of("customer-C77")
    assert "CustomerErased" in {each.type for each in stored}


def test_a_device_that_does_not_verify_its_user_signs_nobody_in(mia: Device) -> None:
    mia.verifies_its_user(False)
    mia.page.goto("/sign-in")
    expect(mia.page.get_by_text("No passkey was used")).to_be_hidden()
    mia.use_passkey()
    expect(mia.page.get_by_text("No passkey was used")).to_be_visible()
    assert mia.services.sessions.list("mia") == []


def test_an_answer_is_accepted_once(mia: Device) -> None:
    mia.page.goto("/sign-in")
    with mia.page.expect_request(
        lambda sent: sent.method == "POST" and sent.url.endswith("/sign-in")
    ) as sent:
        mia.use_passkey()
    expect(mia.page.locator(".side .who-name")).to_contain_text("mia")
    answer = dict(sent.value.post_data_json or {})
    mia.sign_out()
    fresh = token_in(mia.page.content())
    again = mia.page.request.post("/sign-in", form=answer | {"csrf_token": fresh})
    assert again.status == 422
    assert "The passkey was not accepted" in again.text()
    assert mia.services.sessions.list("mia") == []


def test_a_counter_that_goes_back_is_refused(mia: Device) -> None:
    with mia.services.kernel.engines.write.begin() as connection:
        connection.execute(update(passkeys).values(sign_count=1_000))
    mia.page.goto("/sign-in")
    mia.use_passkey()
    expect(mia.page.get_by_text("The passkey was not accepted")).to_be_visible()


def test_the_passkey_of_a_disabled_account_opens_nothing(mia: Device) -> None:
    mia.services.accounts.create("zoe", "admin", PASSWORD)
    mia.services.accounts.disable("mia")
    mia.page.goto("/sign-in")
    mia.use_passkey()
    expect(mia.page.get_by_text("This account is disabled")).to_be_visible()


@pytest.mark.parametrize("answer", ["{}", "[]", "null", "x", '{"id": "a", "rawId": "b"}'])
def test_an_answer_that_cannot_be_read_is_refused(console: Flask, answer: str) -> None:
    client = console.test_client()
    token = token_in(client.get("/sign-in").text)
    options = client.post("/passkey-options", headers={"X-CSRFToken": token})
    assert options.json
    assert options.json["userVerification"] == "required"
    refused = client.post("/sign-in", data={"csrf_token": token, "passkey": answer})
    assert refused.status_code == 422
    assert "not accepted" in refused.text


def test_without_scripts_a_page_says_that_passkeys_need_them(
    device: Device, new_page: Callable[..., Page]
) -> None:
    cookies: Any = device.page.context.cookies()
    origin = device.page.url.split("/", 3)
    page = new_page(java_script_enabled=False, base_url="/".join(origin[:3]))
    page.goto("/sign-in")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    page.context.add_cookies(cookies)
    page.goto("/account")
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_role("link", name="Add authenticator app")).to_be_visible()
