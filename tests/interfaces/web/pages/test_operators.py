"""The pages of operators, roles and the access review."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update
from werkzeug.test import TestResponse

from cqrs_app.environment import SettingsError
from cqrs_app.platform.operators.tables import operators
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.conftest import sign_in, token_in
from tests.interfaces.web.pages.conftest import PASSWORD, client_in
from tests.platform.alerts.smtp import receiving

NEW = "nine white swans"


@pytest.fixture
def admin(console: Flask) -> FlaskClient:
    return client_in(console, "admin")


def send(client: FlaskClient, name: str, address: str = "", **fields: Any) -> TestResponse:
    """Fill in and send the form of a command, like a browser."""
    address = address or f"/commands/{name}"
    form = BeautifulSoup(client.get(address).text, "html.parser").select_one("form#command")
    assert form is not None
    data: dict[str, Any] = {}
    for each in form.select("input[name], textarea[name]"):
        if each.get("type") in ("checkbox", "radio") and not each.has_attr("checked"):
            continue
        data[str(each["name"])] = each.get("value") or each.text.strip()
    return client.post(address, data=data | fields)


def invite(client: FlaskClient, name: str = "mia", role: str = "viewer") -> TestResponse:
    return send(
        client,
        "InviteOperator",
        operator=name,
        role=role,
        display_name="Mia Lund",
        email="mia@shop.example",
    )


def title(page: str) -> str:
    """How many operators the list says it has."""
    heading = BeautifulSoup(page, "html.parser").select_one("#operators-title")
    assert heading is not None
    return " ".join(heading.text.split())


def show_link(client: FlaskClient, name: str = "mia") -> str:
    page = client.get(f"/operators/{name}").text
    shown = client.post(f"/operators/{name}/link", data={"csrf_token": token_in(page)})
    assert shown.status_code == 200
    found = re.search(r'value="(http[^"]+)"', shown.text)
    assert found
    return urlsplit(found[1]).path


def test_an_operator_is_invited_and_chooses_a_password_with_the_link(
    console: Flask, admin: FlaskClient
) -> None:
    answer = invite(admin)
    assert answer.status_code == 303
    assert answer.location.endswith("/operators/mia")
    page = admin.get("/operators/mia").text
    for text in ("Mia Lund", "mia@shop.example", "Invited", "Operator invited", "Show link"):
        assert text in page, text
    address = show_link(admin)
    assert "Show link" not in admin.get("/operators/mia").text
    somebody = console.test_client()
    form = somebody.get(address).text
    assert "You sign in with the name" in form
    weak = {"csrf_token": token_in(form), "new": "short", "again": "short"}
    assert somebody.post(address, data=weak).status_code == 422
    chosen = {"csrf_token": token_in(form), "new": NEW, "again": NEW}
    assert somebody.post(address, data=chosen).location == "/sign-in"
    assert somebody.get("/orders").status_code == 303, "a link does not sign in"
    assert somebody.get(address).status_code == 404, "it works once"
    assert sign_in(somebody, "mia", NEW).status_code == 303
    assert somebody.get("/orders").status_code == 200


def test_a_link_is_shown_once_and_only_to_who_made_it(console: Flask, admin: FlaskClient) -> None:
    invite(admin)
    services_of(console).accounts.create("root", "admin", PASSWORD)
    other = console.test_client()
    assert sign_in(other, "root", PASSWORD).status_code == 303
    page = other.get("/operators/mia").text
    assert "Show link" not in page
    token = {"csrf_token": token_in(other.get("/account").text)}
    assert other.post("/operators/mia/link", data=token).status_code == 404
    show_link(admin)
    token = {"csrf_token": token_in(admin.get("/account").text)}
    assert admin.post("/operators/mia/link", data=token).status_code == 404


@pytest.mark.parametrize("address", ["/sign-in/link/mia/none", "/sign-in/link/x/%FF"])
def test_a_link_that_does_not_exist_is_one_sentence(console: Flask, address: str) -> None:
    answer = console.test_client().get(address)
    assert answer.status_code == 404
    assert "does not work any more" in answer.text


def test_the_list_shows_state_role_and_last_sign_in(admin: FlaskClient) -> None:
    invite(admin)
    page = admin.get("/operators").text
    assert title(page) == "2 operators"
    assert "Invited" in page
    assert title(admin.get("/operators?state=invited").text) == "1 operator"
    assert "No such operators" in admin.get("/operators?state=disabled").text
    assert admin.get("/operators?state=gone").status_code == 422


def test_those_who_have_not_signed_in_for_long_are_found(
    console: Flask, admin: FlaskClient
) -> None:
    for name in ("ann", "ben", "cat"):
        services_of(console).accounts.create(name, "viewer", PASSWORD)
    services_of(console).accounts.disable("cat")
    long_ago = datetime.now(UTC) - timedelta(days=61)
    with services_of(console).kernel.engines.write.begin() as connection:
        connection.execute(
            update(operators)
            .where(operators.c.name.in_(["ann", "cat"]))
            .values(created_at=long_ago)
        )
    page = admin.get("/operators?idle_days=60").text
    assert title(page) == "1 operator"
    assert "/operators/ann" in page
    for days in ("many", "9" * 5000):
        assert admin.get("/operators", query_string={"idle_days": days}).status_code == 422


def test_a_disabled_operator_is_signed_out_at_once(console: Flask, admin: FlaskClient) -> None:
    services_of(console).accounts.create("mia", "viewer", PASSWORD)
    mia = console.test_client()
    assert sign_in(mia, "mia", PASSWORD).status_code == 303
    answer = send(
        admin, "DisableOperator", "/commands/DisableOperator?operator=mia", reason="Left."
    )
    assert answer.status_code == 303
    assert mia.get("/orders").status_code == 303
    page = admin.get("/operators/mia").text
    for text in ("Disabled", "Left.", "Enable"):
        assert text in page, text


def test_ones_own_role_is_not_offered_and_not_changed(admin: FlaskClient) -> None:
    page = admin.get("/operators/admin").text
    assert "/commands/ChangeOperatorRole" not in page
    assert "/commands/DisableOperator" not in page
    answer = send(
        admin,
        "ChangeOperatorRole",
        "/commands/ChangeOperatorRole?operator=admin",
        role="viewer",
    )
    assert answer.status_code == 422
    assert "Nobody changes their own role." in answer.text


def test_a_role_is_defined_and_effective_with_the_next_request(
    console: Flask, admin: FlaskClient
) -> None:
    defined = send(
        admin,
        "DefineRole",
        role="packer",
        based_on="operator",
        permissions="orders.view",
    )
    assert defined.location.endswith("/operators/-/roles"), defined.text
    invite(admin, role="packer")
    services_of(console).accounts.set_password("mia", NEW)
    mia = console.test_client()
    assert sign_in(mia, "mia", NEW).status_code == 303
    assert mia.get("/orders").status_code == 200
    assert mia.get("/customers").status_code == 403
    changed = send(
        admin,
        "ChangeRole",
        "/commands/ChangeRole?role=packer",
        permissions="customers.view",
    )
    assert changed.status_code == 303, changed.text
    assert mia.get("/orders").status_code == 403
    assert mia.get("/customers").status_code == 200
    removed = send(admin, "RemoveRole", "/commands/RemoveRole?role=packer")
    assert removed.status_code == 422
    assert "in use by mia" in removed.text


def test_the_access_review_is_recorded_by_whom_and_of_what(
    console: Flask, admin: FlaskClient
) -> None:
    services_of(console).accounts.create("mia", "viewer", PASSWORD)
    answer = admin.get("/operators/-/access.csv")
    assert answer.mimetype == "text/csv"
    header, role, *rest = csv.reader(io.StringIO(answer.text))
    assert header == ["permission", "admin", "mia"]
    assert role == ["(role)", "admin", "viewer"]
    assert ["orders.view", "yes", "yes"] in rest
    assert ["operators.manage", "yes", ""] in rest
    page = admin.get("/operators/-/access").text
    found = re.search(r"/commands/RecordAccessReview\?digest=[0-9a-f]{64}", page)
    assert found
    services_of(console).accounts.create("ben", "viewer", PASSWORD)
    late = send(admin, "RecordAccessReview", found[0], note="All fine.")
    assert late.status_code == 422
    assert "has changed since it was shown" in late.text
    again = re.search(
        r"/commands/RecordAccessReview\?digest=[0-9a-f]{64}",
        admin.get("/operators/-/access").text,
    )
    assert again
    assert send(admin, "RecordAccessReview", again[0], note="All fine.").status_code == 303
    page = admin.get("/operators/-/access").text
    for text in ("All fine.", "As it is now", "admin"):
        assert text in page, text
    services_of(console).accounts.disable("ben")
    assert "Access has changed since" in admin.get("/operators/-/access").text


@pytest.mark.parametrize("role", ["viewer", "supervisor"])
def test_others_than_administrators_see_nothing_of_it(console: Flask, role: str) -> None:
    client = client_in(console, role)
    for address in ("/operators", "/operators/-/roles", "/operators/-/access.csv"):
        assert client.get(address).status_code == 403, address


def test_a_link_is_e_mailed_where_there_is_a_mail_server(make_console: MakeConsole) -> None:
    with receiving() as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        console = make_console(smtp_url=url, alert_emails="ops@shop.example")
        admin = client_in(console, "admin")
        invite(admin)
        page = admin.get("/operators/mia").text
        data = {"csrf_token": token_in(page), "mail": "1"}
        assert admin.post("/operators/mia/link", data=data).status_code == 303
        (message,) = mail.messages
    assert message["To"] == "mia@shop.example"
    found = re.search(r"http://\S+(/sign-in/link/mia/\S+)", message.get_content())
    assert found
    assert console.test_client().get(found[1]).status_code == 200
    assert "Show link" not in admin.get("/operators/mia").text


def test_a_link_that_could_not_be_e_mailed_is_shown(make_console: MakeConsole) -> None:
    console = make_console(smtp_url="smtp://127.0.0.1:1", alert_emails="ops@shop.example")
    admin = client_in(console, "admin")
    invite(admin)
    page = admin.get("/operators/mia").text
    shown = admin.post("/operators/mia/link", data={"csrf_token": token_in(page), "mail": "1"})
    assert "The e-mail was not sent. The mail server could not be reached" in shown.text
    assert "/sign-in/link/mia/" in shown.text


def test_the_access_review_has_the_tokens_that_work(console: Flask, admin: FlaskClient) -> None:
    tokens = services_of(console).tokens
    tokens.create("till", "operator", permissions=["orders.view"], made_by="admin")
    tokens.create("gone", "operator", made_by="admin")
    tokens.revoke("gone", "admin")
    rows = list(csv.reader(io.StringIO(admin.get("/operators/-/access.csv").text)))
    assert rows[0] == ["permission", "admin", "token:till"]
    assert ["(made by)", "", "admin"] in rows
    assert ["orders.view", "yes", "yes"] in rows
    assert ["orders.cancel", "yes", ""] in rows
    assert "token:till" in admin.get("/operators/-/access").text


def test_more_operators_than_fit_are_on_further_pages(console: Flask, admin: FlaskClient) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "name": f"op{number:03}",
            "display_name": "Op",
            "role": "viewer",
            "password_hash": "x",
            "created_at": now,
            "password_changed_at": now,
        }
        for number in range(600)
    ]
    with services_of(console).kernel.engines.write.begin() as connection:
        connection.execute(insert(operators), rows)
    seen, address = [], "/operators"
    for _ in range(10):
        page = BeautifulSoup(admin.get(address).text, "html.parser")
        assert "601 operators" in " ".join(page.text.split())
        seen += [each.text for each in page.select("#operators-table a[data-row]")]
        following = page.select_one("a[rel=next]")
        if following is None:
            break
        address = str(following["href"])
    assert seen == sorted(["admin", *(row["name"] for row in rows)])
    columns, address = 0, "/operators/-/access"
    for _ in range(30):
        page = BeautifulSoup(admin.get(address).text, "html.parser")
        columns += len(page.select("table.data thead")[0].select("th")) - 1
        following = page.select_one("a[rel=next]")
        if following is None:
            break
        address = str(following["href"])
    assert columns == 601


def test_settings_may_name_a_custom_role(make_console: MakeConsole) -> None:
    admin = client_in(make_console(), "admin")
    for name, based_on in (("packer", "viewer"), ("lead", "supervisor")):
        fields = {"role": name, "based_on": based_on, "permissions": "orders.view"}
        if name == "lead":
            fields["permissions"] = ["orders.view", "orders.approve"]
        assert send(admin, "DefineRole", **fields).status_code == 303
    console = make_console(
        second_factor_roles="packer",
        role_networks="packer=10.0.0.0/8",
        oidc_issuer="https://id.shop.example",
        oidc_client_id="desk",
        oidc_roles="leads=lead; packers=packer",
    )
    provider = services_of(console).openid_provider
    assert provider is not None
    assert provider.rules.role_of({"groups": ["packers", "leads"]}) == "lead"
    with pytest.raises(SettingsError, match="ROLE_NETWORKS has 'boss', which is no role"):
        make_console(role_networks="boss=10.0.0.0/8")
