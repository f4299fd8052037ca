from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Engine, select

from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.errors import AccountError, UnusableName, WeakPassword
from cqrs_app.platform.operators.preferences import Preferences
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.tables import operators
from tests.platform.operators.conftest import PASSWORD, Clock


def test_an_operator_signs_in_with_name_and_password(accounts: Accounts) -> None:
    accounts.create("mia", "operator", PASSWORD, "Mia  Lund")
    operator = accounts.verify("  MIA ", PASSWORD)
    assert operator is not None
    assert (operator.name, operator.display_name, operator.role) == ("mia", "Mia Lund", "operator")


@pytest.mark.parametrize("wrong", ["", "seven brown heron", PASSWORD.upper(), PASSWORD + " "])
def test_a_wrong_password_is_nobody(accounts: Accounts, wrong: str) -> None:
    accounts.create("mia", "operator", PASSWORD)
    assert accounts.verify("mia", wrong) is None


def test_an_unknown_account_is_nobody(accounts: Accounts) -> None:
    assert accounts.verify("nobody", PASSWORD) is None


def test_the_password_is_stored_as_argon2id_only(accounts: Accounts, engine: Engine) -> None:
    accounts.create("mia", "operator", PASSWORD)
    with engine.connect() as connection:
        row = connection.execute(select(operators)).one()
    assert row.password_hash.startswith("$argon2id$")
    assert not any(PASSWORD in str(value) for value in row)


def test_a_hash_with_old_parameters_is_renewed_at_sign_in(
    accounts: Accounts, engine: Engine
) -> None:
    from argon2 import PasswordHasher

    accounts.create("mia", "operator", PASSWORD)
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with engine.begin() as connection:
        connection.execute(operators.update().values(password_hash=old))
    assert accounts.verify("mia", PASSWORD)
    with engine.connect() as connection:
        new = connection.execute(select(operators.c.password_hash)).scalar_one()
    assert not passwords.is_outdated(new)
    assert accounts.verify("mia", PASSWORD)


@pytest.mark.parametrize(
    "name", ["", " ", "mia lund", "mia\nlund", "-mia", "müller", "x" * 41, "mia;drop", "mia/.."]
)
def test_a_name_that_could_mislead_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(UnusableName):
        accounts.create(name, "viewer", PASSWORD)


@pytest.mark.parametrize("name", ["importer", "Sweeper", "demo", "system"])
def test_nobody_is_called_like_a_part_of_the_system(accounts: Accounts, name: str) -> None:
    with pytest.raises(UnusableName):
        accounts.create(name, "viewer", PASSWORD)


def test_a_name_is_taken_once(accounts: Accounts) -> None:
    accounts.create("mia", "operator", PASSWORD)
    with pytest.raises(AccountError, match="already"):
        accounts.create("Mia", "viewer", PASSWORD)
    assert [each.role for each in accounts.list()] == ["operator"]


def test_an_unknown_role_or_a_weak_password_makes_no_account(accounts: Accounts) -> None:
    with pytest.raises(AccountError, match="no role"):
        accounts.create("mia", "root", PASSWORD)
    with pytest.raises(WeakPassword):
        accounts.create("mia", "viewer", "short")
    assert not accounts.any()


def test_a_disabled_operator_is_out_at_once_and_back_when_enabled(
    accounts: Accounts, sessions: Sessions
) -> None:
    accounts.create("mia", "operator", PASSWORD)
    token = sessions.open("mia")
    accounts.disable("mia")
    assert sessions.find(token) is None
    assert accounts.verify("mia", PASSWORD) is None
    accounts.enable("mia")
    assert sessions.find(token) is None, "a session that ended stays ended"
    assert accounts.verify("mia", PASSWORD)


def test_a_new_password_ends_every_session(accounts: Accounts, sessions: Sessions) -> None:
    accounts.create("mia", "operator", PASSWORD)
    tokens = [sessions.open("mia"), sessions.open("mia")]
    accounts.set_password("mia", "nine white swans")
    assert [sessions.find(token) for token in tokens] == [None, None]
    assert accounts.verify("mia", PASSWORD) is None
    assert accounts.verify("mia", "nine white swans")


@pytest.mark.parametrize("change", ["disable", "set_password"])
def test_a_change_to_one_account_leaves_the_others_alone(
    accounts: Accounts, sessions: Sessions, change: str
) -> None:
    for name in ("mia", "ben"):
        accounts.create(name, "operator", PASSWORD)
    token = sessions.open("ben")
    getattr(accounts, change)("mia", *(["nine white swans"] if change == "set_password" else []))
    assert sessions.find(token)
    assert accounts.verify("ben", PASSWORD)
    accounts.disable("ben")
    accounts.set_password("mia", "nine white swans")
    assert accounts.verify("ben", PASSWORD) is None


def test_the_last_administrator_cannot_be_disabled(accounts: Accounts) -> None:
    accounts.create("root", "admin", PASSWORD)
    with pytest.raises(AccountError, match="last administrator"):
        accounts.disable("root")
    accounts.create("second", "admin", PASSWORD)
    accounts.disable("root")
    with pytest.raises(AccountError, match="last administrator"):
        accounts.disable("second")
    assert accounts.verify("second", PASSWORD)


@pytest.mark.parametrize("change", ["disable", "enable", "get"])
def test_an_unknown_name_is_said_so(accounts: Accounts, change: str) -> None:
    with pytest.raises(AccountError, match="no operator called zoe"):
        getattr(accounts, change)("zoe")


def test_times_come_from_the_clock(accounts: Accounts, clock: Clock) -> None:
    created = clock.now
    accounts.create("root", "admin", PASSWORD)
    accounts.create("mia", "viewer", PASSWORD)
    clock.advance(hours=1)
    accounts.disable("mia")
    mia = accounts.get("mia")
    assert (mia.created_at, mia.disabled_at) == (created, clock.now)


def test_preferences_are_those_of_one_operator_in_every_session(
    accounts: Accounts, sessions: Sessions
) -> None:
    for name in ("ada", "ben"):
        accounts.create(name, "operator", PASSWORD)
    tokens = [sessions.open("ada"), sessions.open("ada"), sessions.open("ben")]
    chosen = Preferences(shortcuts=False, compact=True, hidden={"orders": ("country", "lines")})
    accounts.change_preferences("ada", lambda now: chosen)
    found = [operator.preferences for token in tokens if (operator := sessions.find(token))]
    assert found == [chosen, chosen, Preferences()]
    assert accounts.get("ada").preferences == chosen


def test_preferences_that_two_pages_change_at_once_are_both_kept(accounts: Accounts) -> None:
    accounts.create("ada", "operator", PASSWORD)
    together = Barrier(2)

    def change(**changed: Any) -> None:
        together.wait(60)
        accounts.change_preferences("ada", lambda now: structs.replace(now, **changed))

    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(change, shortcuts=False), pool.submit(change, compact=True)]
        for each in sent:
            each.result(60)
    assert accounts.get("ada").preferences == Preferences(shortcuts=False, compact=True)
