"""Identities at a provider, each linked to one operator."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.identities import Identities, Identity, Person
from cqrs_app.platform.operators.queries import ListOperators, list_operators
from cqrs_app.platform.operators.sessions import Sessions, SignOn
from tests.platform.operators.conftest import PASSWORD, Clock

ISSUER = "https://id.shop.example"
MARIA = Identity(ISSUER, "maria")


@pytest.fixture
def identities(engine: Engine, accounts: Accounts, clock: Clock) -> Identities:
    return Identities(engine, "Acme", accounts, clock)


def who(identity: Identity = MARIA, **changed: Any) -> Person:
    values: dict[str, Any] = {"name": "maria", "display_name": "Maria L", "role": "operator"}
    values |= {"session": "", "second_factor": False, "authenticated_at": None}
    return Person(identity=identity, **values | changed)


def test_a_new_person_becomes_an_operator_once(identities: Identities, accounts: Accounts) -> None:
    assert identities.admit(who(), creates=True, assigns_roles=True) == "maria"
    assert identities.admit(who(name="renamed"), creates=True, assigns_roles=True) == "maria"
    (maria,) = accounts.list()
    assert (maria.display_name, maria.role, maria.must_change_password) == (
        "Maria L",
        "operator",
        False,
    )
    assert identities.of("maria") == MARIA


def test_who_signs_in_with_a_provider_is_no_longer_invited(
    identities: Identities, engine: Engine
) -> None:
    identities.admit(who(), creates=True, assigns_roles=True)
    with engine.connect() as connection:
        (maria,) = list_operators(ListOperators(), connection).rows
    assert maria.state == "active"


def test_the_role_follows_the_claims_where_they_assign_it(
    identities: Identities, accounts: Accounts
) -> None:
    identities.admit(who(), creates=True, assigns_roles=True)
    identities.admit(who(role="admin"), creates=False, assigns_roles=False)
    assert accounts.get("maria").role == "operator"
    identities.admit(who(role="admin"), creates=False, assigns_roles=True)
    assert accounts.get("maria").role == "admin"
    assert "Your role is now admin" in "".join(accounts.take_notices("maria"))
    with pytest.raises(AccountError, match="no role"):
        identities.admit(who(role=""), creates=False, assigns_roles=True)
    assert accounts.get("maria").role == "admin"


@pytest.mark.parametrize("name", ["", "Ünal", "a b", "fulfilment"])
def test_a_name_that_no_operator_may_have_creates_none(
    identities: Identities, accounts: Accounts, name: str
) -> None:
    with pytest.raises(AccountError):
        identities.admit(who(name=name), creates=True, assigns_roles=True)
    assert accounts.list() == []


def test_another_person_of_the_same_name_is_not_let_in(
    identities: Identities, accounts: Accounts
) -> None:
    identities.admit(who(), creates=True, assigns_roles=True)
    for other in (Identity(ISSUER, "maria2"), Identity("https://other.example", "maria")):
        with pytest.raises(AccountError, match="already"):
            identities.admit(who(other), creates=True, assigns_roles=True)
        assert identities.operator_of(other) is None


def test_no_account_is_left_without_the_identity_that_it_was_created_for(
    identities: Identities, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.create("mia", "operator", PASSWORD)
    identities.link("mia", MARIA)
    # As if mia had linked it in between.
    monkeypatch.setattr(identities, "operator_of", lambda identity: None)
    with pytest.raises(AccountError, match="linked to another operator"):
        identities.admit(who(), creates=True, assigns_roles=True)
    assert [each.name for each in accounts.list()] == ["mia"]


def test_an_identity_belongs_to_one_operator(
    identities: Identities, accounts: Accounts, sessions: Sessions
) -> None:
    for name in ("mia", "ben"):
        accounts.create(name, "operator", PASSWORD)
    identities.link("mia", MARIA)
    with pytest.raises(AccountError, match="linked to another operator"):
        identities.link("ben", MARIA)
    identities.link("mia", Identity(ISSUER, "maria2"))
    assert identities.operator_of(MARIA) is None
    waiting = sessions.open("mia", second_factor_due=True)
    token = sessions.open("mia")
    assert identities.unlink("mia")
    assert sessions.find(token) is None
    assert sessions.waiting(waiting) is None
    token = sessions.open("mia")
    assert not identities.unlink("mia")
    assert sessions.find(token) is not None
    assert identities.of("mia") is None


def test_a_provider_ends_the_sessions_that_it_opened(sessions: Sessions) -> None:
    opened = {
        name: sessions.open("mia", sign_on=sign_on)
        for name, sign_on in {
            "first": SignOn(MARIA.key, "s1"),
            "second": SignOn(MARIA.key, "s2"),
            "local": SignOn(),
        }.items()
    }
    assert sessions.end_signed_on(SignOn(MARIA.key, "s1")) == 1
    left = {sessions.key_of(opened[name]) for name in ("second", "local")}
    assert {each.key for each in sessions.list("mia")} == left
    assert sessions.end_signed_on(SignOn(MARIA.key)) == 1
    assert sessions.end_signed_on(SignOn()) == 0
    assert [each.key for each in sessions.list("mia")] == [sessions.key_of(opened["local"])]


def test_what_a_session_keeps_of_a_provider_is_read_again(sessions: Sessions) -> None:
    sign_on = SignOn(MARIA.key, "s1", second_factor=True)
    assert sessions.sign_on_of(sessions.open("mia", sign_on=sign_on)) == sign_on
    assert sessions.sign_on_of("no such token") == SignOn()
