"""`flask tokens`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from click.testing import Result
from flask import Flask

from cqrs_app.platform.operators.tokens import Tokens
from cqrs_app.services import services_of


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["tokens", *words])


def test_the_secret_is_the_last_line_alone_and_works(console: Flask) -> None:
    tokens: Tokens = services_of(console).tokens
    result = run(console, "create", "till", "--role", "operator")
    assert result.exit_code == 0, result.output
    secret = result.stdout.splitlines()[-1]
    token = tokens.find(secret)
    assert token is not None
    assert token.actor.may("orders.approve")
    assert token.made_by.startswith("shell:")
    assert secret not in run(console, "list").output


def test_a_token_may_be_narrowed_and_end_by_itself(console: Flask) -> None:
    tokens: Tokens = services_of(console).tokens
    words = ("--permission", "orders.view", "--permission", "orders.note", "--expires-days", "7")
    result = run(console, "create", "till", "--role", "operator", *words)
    assert result.exit_code == 0, result.output
    assert "orders.note, orders.view of operator until" in result.output
    token = tokens.list()[0]
    assert token.permissions == {"orders.view", "orders.note"}
    assert token.expires_at is not None
    assert timedelta(days=6) < token.expires_at - datetime.now(UTC) <= timedelta(days=7)
    assert "operator (orders.note orders.view)" in run(console, "list").output


def test_a_token_ends_after_ninety_days_unless_it_is_never_to_expire(console: Flask) -> None:
    tokens: Tokens = services_of(console).tokens
    run(console, "create", "till", "--role", "operator")
    run(console, "create", "wall", "--role", "operator", "--never-expires")
    till, wall = tokens.list()
    assert till.expires_at is not None
    assert timedelta(days=89) < till.expires_at - datetime.now(UTC) <= timedelta(days=90)
    assert wall.expires_at is None


def test_a_revoked_token_is_listed_as_such(console: Flask) -> None:
    tokens: Tokens = services_of(console).tokens
    secret = tokens.create("till", "viewer", made_by="zoe")
    listed = run(console, "list").output
    assert "works" in listed
    assert "never used" in listed
    assert "made by zoe" in listed
    assert run(console, "revoke", "till").output == "till is revoked.\n"
    assert tokens.find(secret) is None
    assert "revoked " in run(console, "list").output


def test_what_cannot_be_done_is_one_sentence(console: Flask) -> None:
    tokens: Tokens = services_of(console).tokens
    wider = run(console, "create", "till", "--role", "viewer", "--permission", "orders.cancel")
    assert wider.exit_code == 1
    assert wider.stderr.startswith("Error: The role viewer does not have orders.cancel.")
    assert run(console, "revoke", "till").exit_code == 1
    king = run(console, "create", "till", "--role", "king")
    assert king.exit_code == 1
    assert "king" in king.stderr
    assert run(console, "create", "till").exit_code == 2
    assert tokens.list() == []
