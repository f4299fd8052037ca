from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine

from cqrs_app.interfaces.cli.operators import operators
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.identities import Identities, Identity
from cqrs_app.platform.operators.openid_provider import Client, OpenIdProvider
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.sign_on_rules import SignOnRules
from cqrs_app.platform.operators.tokens import Tokens
from tests.platform.operators.conftest import PASSWORD, Clock


class Terminal:
    def __init__(self, **services: Any) -> None:
        app = Flask("cli")
        app.extensions["services"] = SimpleNamespace(**services)
        app.cli.add_command(operators)
        self._runner = app.test_cli_runner()

    def __call__(self, *words: str, typed: str = "") -> Result:
        return self._runner.invoke(args=["operators", *words], input=typed)


@pytest.fixture
def flask(
    accounts: Accounts, factors: SecondFactors, sessions: Sessions, tokens: Tokens
) -> Terminal:
    return Terminal(accounts=accounts, second_factors=factors, sessions=sessions, tokens=tokens)


def test_create_shows_a_made_up_password_once(flask: Terminal, accounts: Accounts) -> None:
    result = flask("create", "mia", "--role", "viewer", "--generate")
    assert result.exit_code == 0
    shown = re.search(r"password is (\S+)", result.output)
    assert shown
    assert accounts.verify("mia", shown[1])
    assert shown[1] not in flask("list").output


def test_create_takes_the_password_from_a_pipe(flask: Terminal, accounts: Accounts) -> None:
    result = flask(
        "create",
        "mia",
        "--role",
        "operator",
        "--display-name",
        "Mia L",
        "--password-stdin",
        typed=PASSWORD + "\r\nrest",
    )
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    operator = accounts.verify("mia", PASSWORD)
    assert operator
    assert operator.must_change_password


def test_list_shows_role_and_state(flask: Terminal, accounts: Accounts) -> None:
    accounts.create("mia", "viewer", PASSWORD)
    accounts.create("zoe", "admin", PASSWORD)
    accounts.disable("mia")
    mia, zoe = flask("list").output.splitlines()
    assert re.match(r"mia +viewer +- +disabled since 2026-03-01 09:00 UTC", mia)
    assert re.match(r"zoe +admin +- +can sign in", zoe)


def test_disable_enable_and_password(flask: Terminal, accounts: Accounts) -> None:
    accounts.create("mia", "viewer", PASSWORD)
    assert flask("disable", "mia").exit_code == 0
    assert accounts.verify("mia", PASSWORD) is None
    assert flask("enable", "mia").exit_code == 0
    assert accounts.verify("mia", PASSWORD)
    assert flask("password", "mia", "--password-stdin", typed="nine white swans\n").exit_code == 0
    operator = accounts.verify("mia", "nine white swans")
    assert operator
    assert operator.must_change_password


def test_the_tokens_that_a_disabled_account_made_are_named(
    flask: Terminal, accounts: Accounts, tokens: Tokens
) -> None:
    accounts.create("mia", "viewer", PASSWORD)
    for name, maker in (("sync", "mia"), ("old", "mia"), ("other", "zoe")):
        tokens.create(name, "viewer", made_by=maker)
    tokens.revoke("old", by="zoe")
    said = flask("disable", "mia").output
    assert "API tokens that mia made stopped working: sync." in said
    assert flask("enable", "mia").exit_code == 0
    tokens.revoke("sync", by="zoe")
    assert "API tokens" not in flask("disable", "mia").output


def test_second_factors_are_reset_with_a_reason_and_every_session_ends(
    flask: Terminal, accounts: Accounts, factors: SecondFactors, sessions: Sessions, clock: Clock
) -> None:
    accounts.create("mia", "viewer", PASSWORD)
    new = factors.new_app("mia")
    factors.add_app("mia", new.sealed, pyotp.TOTP(new.key).at(clock.now))
    token = sessions.open("mia")
    assert "second factor" in flask("list").output
    assert flask("reset-second-factor", "mia").exit_code == 2, "without a reason"
    result = flask("reset-second-factor", "mia", "--reason", "lost her phone")
    assert result.exit_code == 0
    assert "second factor" not in flask("list").output
    assert sessions.find(token) is None
    assert "lost her phone (" in accounts.take_notices("mia")[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("disable", "zoe"), "Error: There is no operator called zoe."),
        (("enable", "zoe"), "Error: There is no operator called zoe."),
        (("password", "zoe"), "Error: There is no operator called zoe."),
        (
            ("reset-second-factor", "zoe", "--reason", "lost"),
            "Error: There is no operator called zoe.",
        ),
        (("create", "demo", "--role", "viewer"), "Error: demo is the name of a part of the system"),
        (("create", "a b", "--role", "viewer"), "Error: 'a b' cannot be an operator's name"),
        (
            ("create", "mia", "--role", "viewer", "--password-stdin"),
            "Error: The password is too short",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    flask: Terminal, accounts: Accounts, words: tuple[str, ...], sentence: str
) -> None:
    result = flask(*words)
    assert result.exit_code == 1
    assert result.output.startswith(sentence)
    assert len(result.output.splitlines()) == 1
    assert not accounts.any()


def test_link_and_unlink_change_who_signs_in_by_the_provider(
    engine: Engine, accounts: Accounts, sessions: Sessions
) -> None:
    identities = Identities(engine, "Acme", accounts)
    provider = OpenIdProvider(
        Client(issuer="https://id.example", client_id="desk", name="Acme"), SignOnRules()
    )
    services = {"accounts": accounts, "sessions": sessions, "identities": identities}
    flask = Terminal(**services, openid_provider=provider)
    accounts.create("mia", "operator", PASSWORD)
    token = sessions.open("mia")
    assert flask("link", "mia", "2482").output == "mia can sign in with Acme.\n"
    assert identities.of("mia") == Identity("https://id.example", "2482")
    for words in (("link", "nobody", "2482"), ("link", "mia", "x" * 256), ("unlink", "nobody")):
        assert flask(*words).exit_code != 0
    assert flask("unlink", "mia").exit_code == 0
    assert identities.of("mia") is None
    assert sessions.find(token) is None
    assert "is not linked" in flask("unlink", "mia").output
    assert Terminal(**services, openid_provider=None)("link", "mia", "2482").exit_code == 2
