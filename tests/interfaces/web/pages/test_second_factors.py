"""Second factors: setting them up, signing in with them, roles that need one, stepping up."""

from __future__ import annotations

import html
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pyotp
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from cqrs_app.platform.operators.tables import authenticator_apps, sessions
from cqrs_app.services import Services, services_of
from tests.console import MakeConsole
from tests.interfaces.web.conftest import sign_in, token_in

PASSWORD = "seven brown herons"
HTMX = {"HX-Request": "true"}


class Mia:
    """An operator with an authenticator app, whose codes are used up as they come."""

    def __init__(self, console: Flask, role: str = "supervisor") -> None:
        self.services: Services = services_of(console)
        self._console = console
        self.client = console.test_client()
        if "mia" not in {each.name for each in self.services.accounts.list()}:
            self.services.accounts.create("mia", role, PASSWORD)
        new = self.services.second_factors.new_app("mia")
        self.key = new.key
        self.recovery = self.services.second_factors.add_app("mia", new.sealed, self.code())
        self.services.accounts.take_notices("mia")

    def code(self) -> str:
        """A code that is current, and forgotten as a used one."""
        with self.services.kernel.engines.write.begin() as connection:
            connection.execute(update(authenticator_apps).values(last_step=0))
        return str(pyotp.TOTP(self.key).now())

    def password(self, **rest: Any) -> Any:
        """The first step, in a new browser."""
        self.client = self._console.test_client()
        return sign_in(self.client, "mia", PASSWORD, **rest)

    def second(self, code: str, address: str = "/sign-in/second-factor") -> Any:
        return send(self.client, address, **{"proof-code": code, "proof-passkey": ""})

    def sign_in(self) -> FlaskClient:
        self.password()
        assert self.second(self.code()).status_code == 303
        return self.client

    def let_proof_grow_old(self) -> None:
        old = {"verified_at": datetime.now(UTC) - timedelta(minutes=11)}
        with self.services.kernel.engines.write.begin() as connection:
            connection.execute(update(sessions).values(old))


@pytest.fixture
def mia(console: Flask) -> Mia:
    return Mia(console)


def send(client: FlaskClient, address: str, form: str = "", **data: Any) -> Any:
    token = token_in(client.get(form or address).text)
    tokens = dict.fromkeys(("csrf_token", "proof-csrf_token"), token)
    return client.post(address, data=tokens | data)


def fields_of(page: str) -> dict[str, str]:
    """The fields of the form of a command, as a browser would send them."""
    form = BeautifulSoup(page, "html.parser").select_one("form#command")
    assert form
    return {
        str(each["name"]): html.unescape(str(each.get("value", "")))
        for each in form.select("input[name]")
    }


# Signing in


def test_the_password_alone_signs_nobody_in(mia: Mia) -> None:
    answer = mia.password(data={"next": "/orders?stage=shipped"})
    assert answer.location == "/sign-in/second-factor?next=/orders?stage%3Dshipped"
    page = mia.client.get(answer.location).text
    assert "Enter the code that your authenticator app shows for mia" in page
    for address in ("/", "/orders", "/account", "/account/authenticator", "/confirm-identity"):
        assert mia.client.get(address).location.startswith("/sign-in?next=")
    assert mia.services.sessions.list("mia") == []


def test_password_and_code_sign_in_with_a_new_session_and_lead_to_the_page(mia: Mia) -> None:
    with mia.client:
        mia.password()
        with mia.client.session_transaction() as cookie:
            before = cookie["token"]
        answer = mia.second(mia.code(), "/sign-in/second-factor?next=/orders")
        assert answer.location == "/orders"
        with mia.client.session_transaction() as cookie:
            assert cookie["token"] != before
    assert mia.client.get("/orders").status_code == 200
    assert mia.services.sessions.waiting(before) is None


def test_a_code_that_was_used_signs_nobody_in(mia: Mia, console: Flask) -> None:
    code = mia.code()
    mia.password()
    assert mia.second(code).status_code == 303
    thief = console.test_client()
    sign_in(thief, "mia", PASSWORD)
    answer = send(thief, "/sign-in/second-factor", **{"proof-code": code, "proof-passkey": ""})
    assert answer.status_code == 422
    assert "was used already" in answer.text
    assert thief.get("/orders").status_code == 303


def test_a_recovery_code_signs_in_once(mia: Mia) -> None:
    mia.password()
    assert mia.second(mia.recovery[0]).status_code == 303
    assert "9 left" in mia.client.get("/account").text
    mia.password()
    assert mia.second(mia.recovery[0]).status_code == 422


@pytest.mark.parametrize(
    ("code", "sentence"), [("", "Enter a code"), ("000000", "The code is wrong")]
)
def test_a_wrong_code_says_so_and_may_be_tried_again(mia: Mia, code: str, sentence: str) -> None:
    mia.password()
    answer = mia.second(code)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert mia.second(mia.code()).status_code == 303


def test_guessing_codes_is_slowed_down_like_guessing_passwords(mia: Mia) -> None:
    mia.password()
    answers = [mia.second("000000") for _ in range(7)]
    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert mia.second(mia.code()).status_code == 429


def test_giving_the_password_again_does_not_clear_the_count_of_wrong_codes(mia: Mia) -> None:
    statuses = []
    for _ in range(7):
        mia.password()
        statuses.append(mia.second("000000").status_code)
    assert statuses[0] == 422
    assert statuses[-1] == 429
    assert mia.second(mia.code()).status_code == 429


def test_wrong_codes_from_many_networks_are_counted_together(mia: Mia) -> None:
    statuses = []
    for number in range(7):
        from_there = {"REMOTE_ADDR": f"203.0.113.{number}"}
        mia.password(environ_base=from_there)
        mia.client.environ_base.update(from_there)
        statuses.append(mia.second("000000").status_code)
    assert statuses[0] == 422
    assert statuses[-1] == 429
    assert "Too many wrong codes" in mia.second(mia.code()).text


def test_the_second_step_is_only_for_who_gave_the_password(mia: Mia) -> None:
    answer = mia.client.get("/sign-in/second-factor?next=/orders")
    assert answer.location == "/sign-in?next=/orders"
    mia.sign_in()
    assert mia.client.get("/sign-in/second-factor?next=/orders").location == "/orders"


def test_a_form_that_was_sent_after_the_session_ended_comes_back_after_both_steps(
    console: Flask,
) -> None:
    mia = Mia(console, "operator")
    mia.sign_in()
    page = mia.client.get("/commands/RegisterCustomer", headers=HTMX).text
    mia.services.sessions.end_all("mia")
    sent = fields_of(page) | {"name": "Ada L", "customer_id": "C77"}
    first = mia.client.post("/commands/RegisterCustomer", data=sent, headers=HTMX)
    assert first.status_code == 401
    second = mia.client.post(
        "/commands/RegisterCustomer",
        data=fields_of(first.text) | {"sign-in-name": "mia", "sign-in-password": PASSWORD},
        headers=HTMX,
    )
    assert "Second factor" in second.text
    assert fields_of(second.text)["name"] == "Ada L"
    third = mia.client.post(
        "/commands/RegisterCustomer",
        data=fields_of(second.text) | {"proof-code": mia.code()},
        headers=HTMX,
    )
    assert "You are signed in again" in third.text
    assert fields_of(third.text)["name"] == "Ada L"


def test_somebody_else_signs_in_instead_of_the_second_step(mia: Mia) -> None:
    mia.password()
    address = "/sign-in/second-factor?next=/orders"
    answer = send(mia.client, address, **{"proof-restart": "1"})
    assert answer.location == "/sign-in?next=/orders"
    assert "Password" in mia.client.get(answer.location).text
    assert mia.client.get(address).location == "/sign-in?next=/orders"
    mia.services.accounts.create("ben", "viewer", PASSWORD)
    sign_in(mia.client, "ben", PASSWORD)
    assert "ben" in mia.client.get("/orders").text


def test_somebody_else_signs_in_and_the_form_that_waits_is_kept(mia: Mia) -> None:
    client = mia.sign_in()
    page = client.get("/commands/RegisterCustomer", headers=HTMX).text
    mia.services.sessions.end_all("mia")
    sent = fields_of(page) | {"name": "Ada L", "customer_id": "C77"}
    first = client.post("/commands/RegisterCustomer", data=sent, headers=HTMX)
    named = {"sign-in-name": "mia", "sign-in-password": PASSWORD}
    second = client.post(
        "/commands/RegisterCustomer", data=fields_of(first.text) | named, headers=HTMX
    )
    third = client.post(
        "/commands/RegisterCustomer",
        data=fields_of(second.text) | {"proof-restart": "1"},
        headers=HTMX,
    )
    assert third.status_code == 401
    assert fields_of(third.text)["name"] == "Ada L"
    mia.services.accounts.create("ben", "operator", PASSWORD)
    named = {"sign-in-name": "ben", "sign-in-password": PASSWORD}
    fourth = client.post(
        "/commands/RegisterCustomer", data=fields_of(third.text) | named, headers=HTMX
    )
    assert fields_of(fourth.text)["name"] == "Ada L"


def test_each_step_is_logged_without_code_or_password(
    mia: Mia, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mia.password()
    mia.second("000000")
    code = mia.code()
    mia.second(code)
    lines = [each.message for each in caplog.records if "mia" in each.message]
    assert lines == [
        "password accepted, second factor due: mia from 127.0.0.1",
        "second factor refused: 'mia' from 127.0.0.1",
        "proved with authenticator app: mia from 127.0.0.1",
        "signed in with a second factor: mia from 127.0.0.1",
    ]
    assert code not in caplog.text
    assert PASSWORD not in caplog.text


# Setting up


def test_an_app_is_added_with_the_first_code_and_recovery_codes_are_shown_once(
    console: Flask,
) -> None:
    services_of(console).accounts.create("ben", "viewer", PASSWORD)
    client = console.test_client()
    sign_in(client, "ben", PASSWORD)
    page = BeautifulSoup(client.get("/account/authenticator").text, "html.parser")
    assert page.select_one(".qr-code svg")
    shown = page.select_one(".mono")
    assert shown
    key = re.sub(r"\s", "", shown.text)
    sealed = page.select_one("input[name=sealed]")
    assert sealed
    wrong = send(client, "/account/authenticator", sealed=sealed["value"], code="000000")
    assert wrong.status_code == 422
    assert "The code is wrong" in wrong.text
    assert key in wrong.text.replace(" ", "")
    code = pyotp.TOTP(key).now()
    answer = send(client, "/account/authenticator", sealed=sealed["value"], code=code)
    codes = re.findall(r"<li>([a-z0-9-]{27})</li>", answer.text)
    assert len(set(codes)) == 10
    download = BeautifulSoup(answer.text, "html.parser").find("a", download=True)
    assert download
    saved = unquote(str(download["href"]).removeprefix("data:text/plain;charset=utf-8,"))
    assert saved.splitlines() == codes
    account = client.get("/account").text
    assert "10 left" in account
    assert not any(each in account for each in codes)


def test_new_recovery_codes_and_removal_need_no_script(mia: Mia) -> None:
    client = mia.sign_in()
    answer = send(client, "/account/recovery-codes", form="/account")
    assert len(re.findall(r"<li>[a-z0-9-]{27}</li>", answer.text)) == 10
    send(client, "/account/authenticator/remove", form="/account")
    assert "Authenticator app removed" in client.get("/account").text
    assert not mia.services.accounts.get("mia").has_second_factor


def test_changes_are_shown_at_the_next_sign_in_once(mia: Mia, console: Flask) -> None:
    client = mia.sign_in()
    mia.services.accounts.set_timezone("mia", "Asia/Kathmandu")
    send(client, "/account/recovery-codes", form="/account")
    mia.password()
    mia.second(mia.code())
    account = mia.client.get("/account").text
    found = re.search(r"New recovery codes were made \(([^)]*)\)", account)
    assert found
    kathmandu = datetime.now(ZoneInfo("Asia/Kathmandu"))
    near = {f"{kathmandu - timedelta(minutes=each):%H:%M}" for each in range(3)}
    assert any(each in found[1] for each in near), found[1]
    assert "UTC" not in found[1]
    mia.password()
    mia.second(mia.code())
    assert "New recovery codes were made (" not in mia.client.get("/account").text


# Sessions


def test_sessions_are_listed_and_ended(mia: Mia) -> None:
    client = mia.sign_in()
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    elsewhere = mia.services.sessions.open("mia", "203.0.113.7", firefox)
    another = mia.services.sessions.open("mia", "203.0.113.8", "curl/8")
    page = client.get("/account").text
    assert "Firefox on Linux" in page
    assert "203.0.113.8" in page
    assert "This session" in page
    key = mia.services.sessions.key_of(elsewhere)
    send(client, f"/account/sessions/{key}/end", form="/account")
    assert mia.services.sessions.find(elsewhere) is None
    assert mia.services.sessions.find(another)
    send(client, f"/account/sessions/{key}/end", form="/account")
    assert "has ended already" in client.get("/account").text
    send(client, "/account/sessions/end-others", form="/account")
    assert "1 other session ended" in client.get("/account").text
    assert mia.services.sessions.find(another) is None


@pytest.mark.parametrize("which", ["one", "others"])
def test_with_an_old_proof_no_session_is_ended_before_it_is_renewed(mia: Mia, which: str) -> None:
    client = mia.sign_in()
    elsewhere = mia.services.sessions.open("mia", "203.0.113.7", "curl/8")
    key = mia.services.sessions.key_of(elsewhere)
    address = f"/account/sessions/{key}/end" if which == "one" else "/account/sessions/end-others"
    mia.let_proof_grow_old()
    asked = send(client, address, form="/account")
    assert "Confirm it" in asked.text
    assert mia.services.sessions.find(elsewhere)
    proven = fields_of(asked.text) | {"proof-code": mia.code()}
    assert client.post(address, data=proven).status_code == 303
    assert mia.services.sessions.find(elsewhere) is None


# Roles that need one


def test_a_role_that_needs_a_second_factor_sets_one_up_before_anything_else(
    make_console: MakeConsole,
) -> None:
    console = make_console(second_factor_roles="supervisor, admin")
    accounts = services_of(console).accounts
    accounts.create("mia", "supervisor", PASSWORD)
    accounts.create("ben", "viewer", PASSWORD)
    ben, client = console.test_client(), console.test_client()
    sign_in(ben, "ben", PASSWORD)
    assert ben.get("/orders").status_code == 200
    assert ben.get("/account/second-factor").location == "/account"
    sign_in(client, "mia", PASSWORD)
    for address in ("/", "/orders", "/account", "/commands/PlaceOrder", "/tokens"):
        assert client.get(address).location == "/account/second-factor"
    assert client.post("/commands/PlaceOrder").status_code in {303, 400}
    assert client.get("/orders", headers=HTMX).status_code == 403
    page = client.get("/account/second-factor").text
    assert "Your role requires one" in page
    assert 'href="/orders"' not in page
    form = BeautifulSoup(client.get("/account/authenticator").text, "html.parser")
    key, sealed = form.select_one(".mono"), form.select_one("input[name=sealed]")
    assert key and sealed
    code = pyotp.TOTP(re.sub(r"\s", "", key.text)).now()
    send(client, "/account/authenticator", sealed=sealed["value"], code=code)
    assert client.get("/orders").status_code == 200


def test_signing_in_at_a_form_that_was_sent_does_not_go_round_what_is_to_be_set_up(
    make_console: MakeConsole,
) -> None:
    console = make_console(second_factor_roles="operator")
    accounts = services_of(console).accounts
    accounts.create("ben", "operator", PASSWORD)
    client = console.test_client()
    first = client.post("/commands/RegisterCustomer", data={"name": "Ada L"})
    answer = client.post(
        "/commands/RegisterCustomer",
        data=fields_of(first.text) | {"sign-in-name": "ben", "sign-in-password": PASSWORD},
    )
    assert (answer.status_code, answer.location) == (303, "/account/second-factor")


def test_tokens_of_the_role_work_on(make_console: MakeConsole) -> None:
    console = make_console(second_factor_roles="admin")
    secret = services_of(console).tokens.create("till", "admin", made_by="test")
    headers = {"Authorization": f"Bearer {secret}"}
    answer = console.test_client().get("/api/v1/queries/OrdersByStatus", headers=headers)
    assert answer.status_code == 200


def test_a_role_that_does_not_exist_stops_the_start(make_console: MakeConsole) -> None:
    with pytest.raises(Exception, match="SECOND_FACTOR_ROLES has 'boss', which is no role"):
        make_console(second_factor_roles="admin,boss")


# Stepping up


def erasing(mia: Mia, client: FlaskClient) -> tuple[str, dict[str, str]]:
    """The address and the fields of a form that erases a customer."""
    register = fields_of(client.get("/commands/RegisterCustomer").text)
    sent = register | {"customer_id": "C77", "name": "Ada L", "country": "Germany"}
    assert client.post("/commands/RegisterCustomer", data=sent).status_code in {204, 303}
    address = "/commands/EraseCustomer?customer_id=C77"
    fields = fields_of(client.get(address).text)
    return address, fields | {"reason": "asked by letter", "confirm": "C77"}


def test_with_a_fresh_proof_a_sensitive_command_is_carried_out(console: Flask) -> None:
    mia = Mia(console, "admin")
    client = mia.sign_in()
    address, fields = erasing(mia, client)
    assert client.post(address, data=fields).status_code == 303


def test_with_an_old_proof_it_asks_in_the_dialog_keeps_the_form_and_then_does_it(
    console: Flask,
) -> None:
    mia = Mia(console, "admin")
    client = mia.sign_in()
    address, fields = erasing(mia, client)
    mia.let_proof_grow_old()
    asked = client.post(address, data=fields, headers=HTMX)
    assert asked.status_code == 422
    assert "Confirm it" in asked.text
    assert "What you entered is kept" in asked.text
    assert client.get("/customers/C77").status_code == 200
    kept = fields_of(asked.text)
    assert kept["reason"] == fields["reason"]
    wrong = client.post(address, data=kept | {"proof-code": "000000"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "The code is wrong" in wrong.text
    again = fields_of(wrong.text) | {"proof-code": mia.code()}
    assert client.post(address, data=again, headers=HTMX).status_code in {200, 204}
    # The proof is fresh again: the next one is not asked for.
    assert client.get("/exports/ListOrders.csv").status_code == 200


def test_who_has_no_second_factor_is_asked_for_the_password(console: Flask) -> None:
    mia = Mia(console, "admin")
    mia.services.second_factors.remove_app("mia")
    mia.password()
    mia.let_proof_grow_old()
    page = mia.client.get("/tokens/new").text
    data = {"csrf_token": token_in(page), "name": "till", "role": "viewer", "expires_days": "30"}
    asked = mia.client.post("/tokens/new", data=data)
    assert 'name="proof-password"' in asked.text
    assert mia.services.tokens.list() == []
    wrong = mia.client.post(
        "/tokens/new", data=fields_of(asked.text) | {"proof-password": "wrong password"}
    )
    assert "The password is wrong" in wrong.text
    made = mia.client.post("/tokens/new", data=fields_of(wrong.text) | {"proof-password": PASSWORD})
    assert "Token till created" in made.text
    assert [each.name for each in mia.services.tokens.list()] == ["till"]


def test_the_password_alone_does_not_confirm_who_has_a_second_factor(mia: Mia) -> None:
    client = mia.sign_in()
    mia.let_proof_grow_old()
    new = "lamplight gravel tuba"
    fields = {"current": PASSWORD, "new": new, "again": new}
    assert send(client, "/account/password", **fields).status_code == 303
    assert client.get("/exports/ListOrders.csv").location.startswith("/confirm-identity")
    assert "Confirm it" in client.get("/account/authenticator", follow_redirects=True).text


def test_an_export_of_personal_data_asks_first_and_then_downloads(mia: Mia) -> None:
    client = mia.sign_in()
    mia.let_proof_grow_old()
    asked = client.get("/exports/ListOrders.csv?country=Germany")
    assert asked.location == "/confirm-identity?next=/exports/ListOrders.csv?country%3DGermany"
    assert client.get("/exports/ListProducts.csv").status_code == 200
    proven = mia.second(mia.code(), asked.location)
    assert proven.location == "/exports/ListOrders.csv?country=Germany"
    assert client.get(proven.location).mimetype == "text/csv"


def test_the_api_is_not_asked(console: Flask) -> None:
    mia = Mia(console)
    secret = mia.services.tokens.create("till", "admin", made_by="test")
    headers = {"Authorization": f"Bearer {secret}"}
    answer = console.test_client().get("/api/v1/exports/ListOrders.csv", headers=headers)
    assert answer.status_code in {200, 404}
    assert "confirm-identity" not in str(answer.headers)


def test_the_sensitive_commands_and_lists_are_these(console: Flask) -> None:
    registry = services_of(console).kernel.registry
    named = {
        cls.__name__
        for cls in (*registry.commands.values(), *registry.queries.values())
        if cls.declaration.step_up
    }
    assert named == {
        *("RefundPayment", "EraseCustomer"),
        *("SetApprovalPolicy", "RemoveApprovalPolicy", "UseRecommendedPolicies"),
        "OverrideApproval",
        *("ListOrders", "ListCustomers", "ListRegisteredCustomers", "TopCustomers"),
        *("ListCommands", "ListOperators", "ListSecurityEvents", "ScheduleExport"),
        *("InviteOperator", "ChangeOperatorRole", "ChangeOperatorTeam", "ChangeOperatorDetails"),
        *("DisableOperator", "EnableOperator", "EndSessions"),
        *("ResetPassword", "ResetSecondFactor", "DefineRole", "ChangeRole", "RemoveRole"),
        "RecordAccessReview",
    }
