from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.sessions import Sessions, forget_before
from cqrs_app.platform.operators.tables import sessions as table
from tests.platform.operators.conftest import PASSWORD, Clock


@pytest.fixture(autouse=True)
def mia(accounts: Accounts) -> None:
    accounts.create("mia", "supervisor", PASSWORD)


def rows(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)))


def test_a_token_finds_its_operator_with_the_permissions_of_the_role(sessions: Sessions) -> None:
    operator = sessions.find(sessions.open("mia"))
    assert operator is not None
    assert operator.actor.name == "mia"
    assert operator.actor.may("orders.cancel")
    assert not operator.actor.may("projections.manage")


def test_a_token_has_256_bits_and_is_stored_nowhere(sessions: Sessions, engine: Engine) -> None:
    token = sessions.open("mia", "10.0.0.1", "Browser")
    assert len(token) >= 43
    assert token not in str(rows(engine))
    assert sessions.find(rows(engine)[0].token_hash) is None


@pytest.mark.parametrize("forged", ["", "x", "x" * 43, "\ud800", "' OR 1=1 --"])
def test_a_forged_token_is_nobody(sessions: Sessions, forged: str) -> None:
    sessions.open("mia")
    assert sessions.find(forged) is None


def test_a_session_ends_when_nobody_used_it(sessions: Sessions, clock: Clock) -> None:
    token = sessions.open("mia")
    clock.advance(minutes=29)
    assert sessions.find(token)
    clock.advance(minutes=29)
    assert sessions.find(token), "the use before began the idle time anew"
    clock.advance(minutes=31)
    assert sessions.find(token) is None


def test_a_page_that_refreshes_itself_keeps_no_session_alive(
    sessions: Sessions, clock: Clock
) -> None:
    token = sessions.open("mia")
    for _ in range(5):
        clock.advance(minutes=5)
        assert sessions.find(token, active=False)
    clock.advance(minutes=6)
    assert sessions.find(token, active=False) is None


def test_a_session_ends_after_its_hours_however_busy(sessions: Sessions, clock: Clock) -> None:
    token = sessions.open("mia")
    for _ in range(12 * 3 - 1):
        clock.advance(minutes=20)
        assert sessions.find(token)
    clock.advance(minutes=20)
    assert sessions.find(token) is None


def test_one_session_ends_and_the_other_goes_on(sessions: Sessions, accounts: Accounts) -> None:
    accounts.create("ben", "viewer", PASSWORD)
    desk, phone, ben = (sessions.open(name) for name in ("mia", "mia", "ben"))
    sessions.revoke(desk)
    assert sessions.find(desk) is None
    assert sessions.find(phone)
    assert sessions.find(ben)


def test_views_in_quick_succession_write_once(
    sessions: Sessions, clock: Clock, engine: Engine
) -> None:
    token = sessions.open("mia")
    opened = clock.now
    clock.advance(seconds=30)
    sessions.find(token)
    assert rows(engine)[0].seen_at == opened
    clock.advance(seconds=31)
    sessions.find(token)
    assert rows(engine)[0].seen_at == clock.now


def test_sessions_long_over_are_deleted(sessions: Sessions, clock: Clock, engine: Engine) -> None:
    sessions.open("mia")
    clock.advance(days=31)
    sessions.open("mia")
    assert forget_before(engine, clock() - timedelta(days=30)) == 1
    assert len(rows(engine)) == 1


def test_what_a_browser_says_of_itself_is_cut_to_fit(sessions: Sessions, engine: Engine) -> None:
    sessions.open("mia", "1" * 500, "\x00" + "x" * 5000)
    row = rows(engine)[0]
    assert (len(row.address), row.user_agent) == (64, "x" * 300)


def test_a_session_opened_while_the_account_was_being_disabled_is_worth_nothing(
    accounts: Accounts, sessions: Sessions
) -> None:
    accounts.disable("mia")
    assert sessions.find(sessions.open("mia")) is None
