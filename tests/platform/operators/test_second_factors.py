from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import Engine, select

from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.commands import ResetSecondFactor
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.tables import authenticator_apps, recovery_codes
from tests.platform.operators.conftest import PASSWORD, Clock


class App:
    """Mia's authenticator app, and her recovery codes."""

    def __init__(self, factors: SecondFactors, clock: Clock, operator: str = "mia") -> None:
        self._clock = clock
        new = factors.new_app(operator)
        self.key, self.sealed, self.uri = new.key, new.sealed, new.uri
        self.codes = factors.add_app(operator, new.sealed, self.code())

    def code(self, **later: float) -> str:
        return str(pyotp.TOTP(self.key).at(self._clock.now + timedelta(**later)))


@pytest.fixture
def app(accounts: Accounts, factors: SecondFactors, clock: Clock) -> App:
    accounts.create("mia", "operator", PASSWORD)
    made = App(factors, clock)
    clock.advance(seconds=30)
    return made


def test_the_app_is_set_up_as_rfc_6238_and_key_uris_say(app: App) -> None:
    assert app.uri.startswith("otpauth://totp/Test%20shop:mia?secret=")
    assert len(app.key) == 32, "160 bits, as RFC 4226 recommends"


def test_a_code_is_accepted_once_and_none_before_it(
    app: App, factors: SecondFactors, clock: Clock
) -> None:
    before, code = app.code(seconds=-30), app.code()
    assert factors.accepts("mia", f" {code[:3]} {code[3:]} ") == "authenticator app"
    assert factors.accepts("mia", code) is None
    assert factors.accepts("mia", before) is None
    clock.advance(seconds=30)
    assert factors.accepts("mia", app.code()) == "authenticator app"


def test_the_code_that_set_the_app_up_does_not_sign_in(
    accounts: Accounts, factors: SecondFactors, clock: Clock
) -> None:
    accounts.create("mia", "operator", PASSWORD)
    app = App(factors, clock)
    assert factors.accepts("mia", app.code()) is None


@pytest.mark.parametrize(("late", "accepted"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_clocks_may_differ_by_thirty_seconds(
    app: App, factors: SecondFactors, clock: Clock, late: float, accepted: bool
) -> None:
    clock.advance(minutes=2)
    assert (factors.accepts("mia", app.code(seconds=late)) is not None) is accepted


@pytest.mark.parametrize("code", ["", "000000", "12345", "abc", "é" * 6, "1" * 5_000, "\x00"])
def test_a_wrong_code_is_refused(app: App, factors: SecondFactors, code: str) -> None:
    assert factors.accepts("mia", code) is None
    assert factors.accepts("nobody", app.code()) is None


def test_ten_recovery_codes_are_accepted_once_each(app: App, factors: SecondFactors) -> None:
    assert len(set(app.codes)) == 10
    assert factors.accepts("ben", app.codes[0]) is None
    assert factors.accepts("mia", app.codes[0].upper()) == "recovery code"
    assert factors.accepts("mia", app.codes[0]) is None
    assert factors.accepts("mia", app.codes[1].replace("-", " ")) == "recovery code"
    assert factors.of("mia").recovery_codes == 8


def test_new_recovery_codes_replace_the_others(app: App, factors: SecondFactors) -> None:
    new = factors.new_recovery_codes("mia")
    assert factors.accepts("mia", app.codes[0]) is None
    assert factors.accepts("mia", new[0])


def test_another_app_replaces_the_first_and_keeps_the_recovery_codes(
    app: App, factors: SecondFactors, clock: Clock
) -> None:
    other = App(factors, clock)
    assert other.codes == []
    clock.advance(seconds=30)
    assert factors.accepts("mia", app.code()) is None
    assert factors.accepts("mia", other.code())
    assert factors.accepts("mia", app.codes[0])


def test_neither_key_nor_code_is_in_the_database(
    app: App, factors: SecondFactors, engine: Engine
) -> None:
    with engine.connect() as connection:
        stored = str(connection.execute(select(authenticator_apps)).all())
        stored += str(connection.execute(select(recovery_codes)).all())
    assert app.sealed in stored
    assert app.key not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in app.codes)


@pytest.mark.parametrize("sealed", ["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "~personal.1.x.y~", "é"])
def test_a_key_that_was_not_sealed_for_the_operator_is_refused(
    app: App, factors: SecondFactors, sealed: str
) -> None:
    for forged in (sealed, factors.new_app("ben").sealed):
        with pytest.raises(AccountError, match="cannot be used"):
            factors.add_app("mia", forged, "123456")
    assert factors.of("mia").app_since is not None


def test_a_wrong_first_code_adds_nothing(accounts: Accounts, factors: SecondFactors) -> None:
    accounts.create("mia", "operator", PASSWORD)
    with pytest.raises(AccountError, match="code is wrong"):
        factors.add_app("mia", factors.new_app("mia").sealed, "000000")
    assert not factors.of("mia").any
    with pytest.raises(AccountError, match="first"):
        factors.new_recovery_codes("mia")


def test_without_the_app_recovery_codes_open_nothing(app: App, factors: SecondFactors) -> None:
    factors.remove_app("mia")
    assert factors.accepts("mia", app.codes[0]) is None
    assert factors.of("mia").recovery_codes == 0


def test_a_reset_removes_all_and_says_why_at_the_next_sign_in(
    app: App, factors: SecondFactors, accounts: Accounts
) -> None:
    assert accounts.get("mia").has_second_factor
    accounts.send(ResetSecondFactor(operator="mia", reason="lost her phone"))
    assert not accounts.get("mia").has_second_factor
    notices = accounts.take_notices("mia")
    assert any("An authenticator app was added (" in each for each in notices)
    assert "removed by an administrator: lost her phone (" in notices[-1]
    assert list(accounts.take_notices("mia")) == []


def test_a_session_without_the_second_factor_signs_nobody_in(
    app: App, accounts: Accounts, sessions: Sessions, clock: Clock
) -> None:
    token = sessions.open("mia", second_factor_due=True)
    assert sessions.find(token) is None
    assert sessions.waiting(token) == "mia"
    assert sessions.list("mia") == []
    assert sessions.waiting(sessions.open("mia")) is None
    clock.advance(minutes=11)
    assert sessions.waiting(token) is None


def test_disabling_and_a_new_password_end_the_wait_for_the_second_factor(
    app: App, accounts: Accounts, sessions: Sessions
) -> None:
    token = sessions.open("mia", second_factor_due=True)
    accounts.set_password("mia", "nine white swans")
    assert sessions.waiting(token) is None
    token = sessions.open("mia", second_factor_due=True)
    accounts.create("zoe", "admin", PASSWORD)
    accounts.disable("mia")
    assert sessions.waiting(token) is None


def test_sessions_are_listed_and_ended_by_their_operator_only(
    accounts: Accounts, sessions: Sessions, clock: Clock
) -> None:
    accounts.create("mia", "operator", PASSWORD)
    accounts.create("ben", "operator", PASSWORD)
    tokens = [sessions.open("mia", "10.0.0.1", "Firefox/1") for _ in range(3)]
    of_ben = sessions.open("ben")
    keys = [each.key for each in sessions.list("mia")]
    assert set(keys) == {sessions.key_of(token) for token in tokens}
    assert not sessions.end("ben", keys[0])
    assert not sessions.end("mia", "")
    assert not sessions.end("mia", "%")
    assert sessions.end("mia", sessions.key_of(tokens[0]))
    assert not sessions.end("mia", sessions.key_of(tokens[0]))
    assert sessions.end_all("mia", but=tokens[1]) == 1
    assert [each.key for each in sessions.list("mia")] == [sessions.key_of(tokens[1])]
    assert sessions.find(of_ben)
    clock.advance(minutes=31)
    assert sessions.list("mia") == []


def test_a_proof_is_as_old_as_the_sign_in_until_it_is_renewed(
    accounts: Accounts, sessions: Sessions, clock: Clock
) -> None:
    accounts.create("mia", "operator", PASSWORD)
    token, begun = sessions.open("mia"), clock.now
    assert sessions.verified_at(token) == begun
    assert sessions.verified_at(sessions.open("mia", second_factor_due=True)) is None
    clock.advance(minutes=5)
    assert sessions.verified_at(token) == begun
    sessions.verified(token)
    assert sessions.verified_at(token) == clock.now
    assert sessions.verified_at("no such token") is None
