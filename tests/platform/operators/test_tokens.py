from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, update

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.actors import Actors
from cqrs_app.platform.operators.commands import ChangeOperatorRole
from cqrs_app.platform.operators.errors import TokenError, UnusableName
from cqrs_app.platform.operators.roles import at_most
from cqrs_app.platform.operators.tables import api_tokens
from cqrs_app.platform.operators.tokens import Token, Tokens
from tests.platform.operators.conftest import PASSWORD, Clock


def rows(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(api_tokens)))


def found(tokens: Tokens, secret: str) -> Token:
    token = tokens.find(secret)
    assert token is not None
    return token


def test_a_secret_finds_its_token_which_acts_under_its_own_name(tokens: Tokens) -> None:
    token = found(tokens, tokens.create("Stock-Room", "operator", made_by="zoe"))
    assert token.actor.name == "token:stock-room"
    assert token.actor.permissions == ROLES["operator"]
    assert token.made_by == "zoe"
    assert not token.is_narrowed


def test_a_secret_has_256_bits_and_is_stored_nowhere(tokens: Tokens, engine: Engine) -> None:
    secret = tokens.create("till", "viewer", made_by="zoe")
    assert secret.startswith("cs_")
    assert len(secret) >= 46
    assert secret not in str(rows(engine))
    assert tokens.find(rows(engine)[0].secret_hash) is None


@pytest.mark.parametrize("forged", ["", "cs_", "cs_" + "x" * 43, "\ud800", "' OR 1=1 --"])
def test_a_forged_secret_is_nobody(tokens: Tokens, forged: str) -> None:
    tokens.create("till", "viewer", made_by="zoe")
    assert tokens.find(forged) is None


def test_a_token_may_be_narrower_than_its_role_and_never_wider(
    tokens: Tokens, engine: Engine
) -> None:
    secret = tokens.create("till", "operator", permissions=["orders.view"], made_by="zoe")
    token = found(tokens, secret)
    assert token.permissions == {"orders.view"}
    assert token.is_narrowed
    with pytest.raises(TokenError, match=r"viewer does not have orders.cancel"):
        tokens.create("more", "viewer", permissions=["orders.cancel"], made_by="zoe")
    with pytest.raises(TokenError, match="no role 'king'"):
        tokens.create("more", "king", made_by="zoe")
    assert len(rows(engine)) == 1


def test_nobody_makes_a_token_that_may_do_what_they_may_not(tokens: Tokens, engine: Engine) -> None:
    rights = ROLES["viewer"] | {"tokens.manage"}
    with pytest.raises(TokenError, match=r"what you may not: .*operators\.manage"):
        tokens.create("root", "admin", made_by="zoe", rights=rights)
    assert rows(engine) == []
    tokens.create("feed", "viewer", made_by="zoe", rights=rights)
    tokens.create("till", "admin", permissions=["orders.view"], made_by="zoe", rights=rights)


def test_what_a_role_loses_its_tokens_lose(tokens: Tokens, engine: Engine) -> None:
    secret = tokens.create("till", "operator", permissions=["orders.view"], made_by="zoe")
    with engine.begin() as connection:
        connection.execute(update(api_tokens).values(permissions="orders.view gone.since"))
    assert found(tokens, secret).permissions == {"orders.view"}
    with engine.begin() as connection:
        connection.execute(update(api_tokens).values(permissions="gone.since"))
    assert found(tokens, secret).permissions == frozenset()
    with engine.begin() as connection:
        connection.execute(update(api_tokens).values(role="gone", permissions=""))
    assert found(tokens, secret).permissions == frozenset()


def test_a_token_works_until_it_expires(tokens: Tokens, clock: Clock) -> None:
    secret = tokens.create(
        "till", "viewer", made_by="zoe", expires_at=clock.now + timedelta(days=1)
    )
    clock.advance(hours=23)
    assert tokens.find(secret)
    clock.advance(hours=1)
    assert tokens.find(secret) is None
    with pytest.raises(TokenError, match="expired already"):
        tokens.create("late", "viewer", made_by="zoe", expires_at=clock.now)


def test_revoking_ends_it_at_once_and_says_who_did(tokens: Tokens) -> None:
    secret, other = (tokens.create(name, "viewer", made_by="zoe") for name in ("till", "feed"))
    tokens.revoke("Till ", "mia")
    assert tokens.find(secret) is None
    assert tokens.find(other)
    assert [(each.name, each.revoked_by) for each in tokens.list()] == [
        ("feed", None),
        ("till", "mia"),
    ]
    with pytest.raises(TokenError, match="no token called till that works"):
        tokens.revoke("till", "mia")


def test_a_name_is_unique_among_living_tokens(tokens: Tokens, clock: Clock) -> None:
    first = tokens.create("till", "viewer", made_by="zoe")
    with pytest.raises(TokenError, match="There is a token called till already"):
        tokens.create("TILL", "admin", made_by="zoe")
    tokens.revoke("till", "zoe")
    soon = clock.now + timedelta(hours=1)
    second = tokens.create("till", "viewer", made_by="zoe", expires_at=soon)
    clock.advance(hours=2)
    third = tokens.create("till", "viewer", made_by="zoe")
    assert [tokens.find(each) is not None for each in (first, second, third)] == [
        False,
        False,
        True,
    ]
    assert [each.works_at(clock.now) for each in tokens.list()] == [True, False, False]


def test_the_name_of_an_expired_token_is_used_again_and_other_expired_ones_stay_as_they_are(
    tokens: Tokens, clock: Clock
) -> None:
    soon = clock.now + timedelta(hours=1)
    for name in ("till", "feed"):
        tokens.create(name, "viewer", made_by="zoe", expires_at=soon)
    clock.advance(hours=2)
    tokens.create("till", "viewer", made_by="zoe")
    ended = [(each.name, each.revoked_at) for each in tokens.list()]
    assert ended == [("feed", None), ("till", None), ("till", soon)]


@pytest.mark.parametrize("name", ["", "a b", "x" * 41, "token:x", "importer", "ä"])
def test_a_name_follows_the_rules_of_operators_names(tokens: Tokens, name: str) -> None:
    with pytest.raises(UnusableName):
        tokens.create(name, "viewer", made_by="zoe")


def test_last_use_is_written_at_most_once_a_minute(tokens: Tokens, clock: Clock) -> None:
    tokens.create("unused", "viewer", made_by="zoe")
    secret = tokens.create("till", "viewer", made_by="zoe")
    assert tokens.list()[0].last_used_at is None
    first = clock.now
    tokens.find(secret)
    clock.advance(seconds=59)
    tokens.find(secret)
    assert tokens.list()[0].last_used_at == first
    clock.advance(seconds=1)
    tokens.find(secret)
    assert tokens.list()[0].last_used_at == clock.now
    assert tokens.list()[1].last_used_at is None


def test_a_token_may_never_do_more_than_who_made_it_may_now(
    tokens: Tokens, accounts: Accounts, engine: Engine
) -> None:
    accounts.create("ada", "admin", PASSWORD)
    accounts.create("zoe", "admin", PASSWORD)
    secret = tokens.create("till", "supervisor", made_by="zoe", rights=ROLES["admin"])
    assert found(tokens, secret).permissions == ROLES["supervisor"]
    accounts.send(ChangeOperatorRole(operator="zoe", role="viewer"))
    actors = Actors(engine, lambda: ROLES)
    for permissions in (
        found(tokens, secret).permissions,
        tokens.list()[0].permissions,
        getattr(actors.now(Actor("token:till")), "permissions", None),
    ):
        assert permissions == ROLES["viewer"]
    assert found(tokens, secret).is_narrowed
    accounts.send(ChangeOperatorRole(operator="zoe", role="admin"))
    assert found(tokens, secret).permissions == ROLES["supervisor"]


def test_the_limits_of_who_made_a_token_hold_for_it() -> None:
    rights, limited = frozenset({"a", "b"}), frozenset({"a", "limited"})
    assert at_most(rights, limited) == {"a", "limited"}
    assert at_most(limited, rights) == {"a", "limited"}
    assert at_most(rights, None) == rights
