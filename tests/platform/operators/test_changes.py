"""Events, rows and secrets of operators in the stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, delete, select

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.errors import NotAllowed, Refused, SwitchedOff
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.tables import command_log, events, streams
from cqrs_app.platform.operators import commands
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.actors import Actors
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.identities import Identities, Identity
from cqrs_app.platform.operators.links import Links
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.tables import operators
from cqrs_app.platform.operators.tokens import Tokens
from tests.platform.operators.conftest import PASSWORD, Clock
from tests.services.operators import KEY, accounts_on, bus_on

ZOE = Actor("zoe", ROLES["admin"])


@pytest.fixture
def bus(engine: Engine, clock: Clock) -> CommandBus:
    return bus_on(engine, clock)


@pytest.fixture
def links(engine: Engine, clock: Clock) -> Links:
    return Links(engine, Vault(engine, lambda: [KEY], "test"), clock)


def send(bus: CommandBus, command: Command, by: Actor = ZOE) -> Any:
    return bus.execute(command, Context(actor=by, channel="test"))


def types_in(engine: Engine, stream: str) -> list[str]:
    found = select(events.c.type).where(events.c.stream == stream).order_by(events.c.version)
    with engine.connect() as connection:
        return list(connection.execute(found).scalars())


def test_each_change_of_an_account_is_an_event_of_its_stream(
    accounts: Accounts, engine: Engine
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("mia", "operator", PASSWORD)
    accounts.set_team("mia", "returns")
    accounts.set_password("mia", "nine white swans")
    accounts.disable("mia")
    accounts.enable("mia")
    assert types_in(engine, "operator-mia") == [
        "OperatorInvited",
        "OperatorTeamChanged",
        "PasswordRecorded",
        "OperatorDisabled",
        "OperatorEnabled",
    ]


def test_no_secret_is_in_an_event_or_in_the_command_log(
    accounts: Accounts, engine: Engine, links: Links, bus: CommandBus
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    send(bus, commands.InviteOperator(operator="mia", role="viewer", email="mia@shop.example"))
    link = links.take("mia", "zoe")
    assert link
    accounts.set_password("mia", "nine white swans")
    with engine.connect() as connection:
        hashes = connection.execute(select(operators.c.password_hash)).scalars().all()
        stored = [
            *connection.execute(select(events.c.payload)).scalars(),
            *connection.execute(select(command_log.c.payload)).scalars(),
        ]
    for secret in (PASSWORD, "nine white swans", link.secret, "mia@shop.example", *hashes):
        assert not any(secret in text for text in stored), secret


def test_rows_change_only_with_their_events(accounts: Accounts, bus: CommandBus) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("mia", "operator", PASSWORD)
    viewer = Actor("vic", ROLES["viewer"])
    for refused, by in (
        (commands.ChangeOperatorRole(operator="mia", role="boss"), ZOE),
        (commands.ChangeOperatorRole(operator="mia", role="admin"), viewer),
        (commands.DisableOperator(operator="zoe"), Actor("ann", ROLES["admin"])),
    ):
        with pytest.raises((Refused, NotAllowed)):
            send(bus, refused, by)
    assert [(each.name, each.role, each.disabled_at) for each in accounts.list()] == [
        ("mia", "operator", None),
        ("zoe", "admin", None),
    ]


def test_a_dry_run_changes_no_row(accounts: Accounts, bus: CommandBus) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    bus.preview(
        commands.InviteOperator(operator="mia", role="viewer"), Context(actor=ZOE, channel="test")
    )
    assert [each.name for each in accounts.list()] == ["zoe"]


def test_of_two_administrators_who_disable_each_other_at_once_one_stays(
    accounts: Accounts, engine: Engine
) -> None:
    for name in ("ann", "zoe"):
        accounts.create(name, "admin", PASSWORD)
    together = Barrier(2)

    def disable(by: str, other: str) -> bool:
        bus = bus_on(engine)
        together.wait(60)
        try:
            send(bus, commands.DisableOperator(operator=other), Actor(by, ROLES["admin"]))
        except Refused as refused:
            assert refused.code == "last_administrator"  # noqa: PT017
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(disable, "ann", "zoe"), pool.submit(disable, "zoe", "ann")]
        assert sorted(each.result(60) for each in sent) == [False, True]
    assert [each.disabled_at is None for each in accounts.list()].count(True) == 1


def test_an_administrator_who_is_only_invited_does_not_count_as_another(
    accounts: Accounts, bus: CommandBus
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    send(bus, commands.InviteOperator(operator="ann", role="admin"))
    with pytest.raises(AccountError, match="last administrator"):
        accounts.disable("zoe")
    accounts.set_password("ann", "nine white swans")
    accounts.disable("zoe")


def test_an_administrator_who_signs_in_at_the_provider_counts_as_another(
    accounts: Accounts, bus: CommandBus, engine: Engine
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    send(bus, commands.InviteOperator(operator="ann", role="admin"))
    Identities(engine, "Keycloak", accounts).link("ann", Identity("https://idp.example", "1"))
    accounts.disable("zoe")
    with pytest.raises(AccountError, match="last administrator"):
        accounts.disable("ann")


def test_an_invited_operator_chooses_a_password_with_a_link_that_works_once(
    accounts: Accounts, bus: CommandBus, links: Links
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    send(bus, commands.InviteOperator(operator="mia", role="viewer", display_name="Mia Lund"))
    assert accounts.verify("mia", "") is None, "no password yet"
    assert links.take("mia", "ann") is None, "only to who made it"
    link = links.take("mia", "zoe")
    assert link
    assert links.take("mia", "zoe") is None, "only once"
    assert links.owner("mia", link.secret) == "Mia Lund"
    assert links.owner("mia", link.secret[:-1] + "?") is None
    assert links.owner("zoe", link.secret) is None
    accounts.set_password("mia", "nine white swans")
    assert links.owner("mia", link.secret) is None
    assert accounts.verify("mia", "nine white swans")


def test_of_two_who_choose_a_password_with_one_link_at_once_one_does(
    accounts: Accounts, bus: CommandBus, engine: Engine
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    send(bus, commands.InviteOperator(operator="mia", role="viewer"))
    together = Barrier(3)

    def choose(password: str) -> bool:
        mine = accounts_on(engine)
        together.wait(60)
        try:
            mine.set_password("mia", password, by_link=True)
        except AccountError as error:
            assert "was used a moment ago" in str(error)  # noqa: PT017
            return False
        return True

    wanted = ["nine white swans", "ten black ravens", "six grey pigeons"]
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(choose, wanted))
    assert done.count(True) == 1
    assert [accounts.verify("mia", each) is not None for each in wanted] == done


@pytest.mark.parametrize(
    ("command", "hours"),
    [
        (commands.InviteOperator(operator="mia", role="viewer"), 72),
        (commands.ResetPassword(operator="ben"), 24),
    ],
)
def test_a_link_expires(
    accounts: Accounts, bus: CommandBus, links: Links, clock: Clock, command: Any, hours: int
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("ben", "viewer", PASSWORD)
    send(bus, command)
    link = links.take(command.operator, "zoe")
    assert link
    clock.advance(hours=hours - 1)
    assert links.owner(command.operator, link.secret)
    clock.advance(hours=1)
    assert links.owner(command.operator, link.secret) is None


def test_a_reset_ends_password_and_sessions_and_a_newer_link_replaces_the_older(
    accounts: Accounts, bus: CommandBus, links: Links, sessions: Sessions
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("mia", "viewer", PASSWORD)
    token = sessions.open("mia")
    send(bus, commands.ResetPassword(operator="mia"))
    first = links.take("mia", "zoe")
    assert sessions.find(token) is None
    assert accounts.verify("mia", PASSWORD) is None
    send(bus, commands.ResetPassword(operator="mia"))
    second = links.take("mia", "zoe")
    assert first
    assert second
    assert links.owner("mia", first.secret) is None
    assert links.owner("mia", second.secret)


def test_disabling_takes_the_link_back(accounts: Accounts, bus: CommandBus, links: Links) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    send(bus, commands.InviteOperator(operator="mia", role="viewer"))
    link = links.take("mia", "zoe")
    assert link
    accounts.disable("mia")
    assert links.owner("mia", link.secret) is None


def test_the_tokens_of_a_disabled_account_stop_at_once_and_work_again_with_it(
    accounts: Accounts, tokens: Tokens, engine: Engine, clock: Clock
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("mia", "supervisor", PASSWORD)
    secret = tokens.create("sync", "supervisor", made_by="mia")
    other = tokens.create("stock", "supervisor", made_by="zoe")
    assert tokens.find(secret)
    accounts.disable("mia")
    assert tokens.find(secret) is None
    actors = Actors(engine, lambda: ROLES, lambda: clock.now)
    assert actors.now(Actor("token:sync")) is None
    assert tokens.find(other)
    accounts.enable("mia")
    assert tokens.find(secret)
    assert actors.now(Actor("token:sync")) == Actor("token:sync", ROLES["supervisor"])


def test_end_sessions_and_reset_of_second_factors(
    accounts: Accounts, bus: CommandBus, sessions: Sessions, factors: SecondFactors, clock: Clock
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("mia", "viewer", PASSWORD)
    new = factors.new_app("mia")
    factors.add_app("mia", new.sealed, pyotp.TOTP(new.key).at(clock.now))
    token = sessions.open("mia")
    send(bus, commands.EndSessions(operator="mia"))
    assert sessions.find(token) is None
    assert accounts.get("mia").has_second_factor
    token = sessions.open("mia")
    send(bus, commands.ResetSecondFactor(operator="mia", reason="lost her phone"))
    assert sessions.find(token) is None
    assert not accounts.get("mia").has_second_factor
    assert "lost her phone (" in accounts.take_notices("mia")[-1]


def test_operators_of_an_earlier_release_get_the_begin_of_a_history(
    accounts: Accounts, engine: Engine
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    accounts.create("mia", "viewer", PASSWORD, "Mia Lund")
    accounts.disable("mia")
    forget_history(engine)
    with pytest.raises(AccountError, match="no operator called mia"):
        accounts.enable("mia")
    assert accounts.record_earlier() == 2
    assert accounts.record_earlier() == 0
    assert types_in(engine, "operator-mia") == ["OperatorRecorded"]
    accounts.enable("mia")
    assert accounts.verify("mia", PASSWORD)


def forget_history(engine: Engine) -> None:
    """Leave the operators as an earlier release did."""
    with engine.begin() as connection:
        for table in (events, streams, command_log):
            connection.execute(delete(table))


def test_two_processes_that_start_at_once_begin_each_history_once(
    accounts: Accounts, engine: Engine
) -> None:
    for name in ("mia", "zoe"):
        accounts.create(name, "admin", PASSWORD)
    forget_history(engine)
    together = Barrier(2)

    def start() -> int:
        other = accounts_on(engine)
        together.wait(60)
        return other.record_earlier()

    with ThreadPoolExecutor(2) as pool:
        counts = [each.result(60) for each in [pool.submit(start), pool.submit(start)]]
    assert sum(counts) == 2
    assert types_in(engine, "operator-zoe") == ["OperatorRecorded"]


def test_while_commands_are_switched_off_the_history_is_left_for_later(
    accounts: Accounts, engine: Engine
) -> None:
    accounts.create("zoe", "admin", PASSWORD)
    forget_history(engine)

    def switched_off(command: Command, context: Context) -> Receipt:
        raise SwitchedOff

    assert Accounts(engine, ROLES, switched_off).record_earlier() == 0
    assert accounts.record_earlier() == 1
