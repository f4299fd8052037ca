from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.testing import Outcome, Scenarios
from cqrs_app.platform.operators import commands, events
from cqrs_app.platform.operators.account import Facts, OperatorAccount

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADMIN = {
    "sender": "zoe",
    "permissions": ROLES["admin"],
    "administrators": frozenset({"zoe", "root"}),
    "roles": {**ROLES},
}


def given(*before: Event, **facts: Any) -> Any:
    """An account, and what its commands are decided with."""
    arguments = MappingProxyType({"facts": Facts(**ADMIN | facts)})
    on_accounts = [each for each in vars(commands).values() if _is_command(each)]
    area = Area(
        name="operators",
        aggregates=[OperatorAccount],
        events=events,
        settings=dict.fromkeys(on_accounts, arguments),
    )
    return Scenarios(area, at=NOON).given(*before)


def _is_command(each: Any) -> bool:
    return isinstance(each, type) and issubclass(each, Command) and each is not Command


def invited(role: str = "operator", team: str = "") -> events.OperatorInvited:
    return events.OperatorInvited(
        operator="mia", role=role, display_name="Mia Lund", email="mia@shop.example", team=team
    )


def change_role(role: str) -> commands.ChangeOperatorRole:
    return commands.ChangeOperatorRole(operator="mia", role=role)


DISABLE = commands.DisableOperator(operator="mia", reason="Left.")
DISABLED = events.OperatorDisabled(operator="mia", reason="Left.")


def test_an_operator_is_invited_once() -> None:
    command = commands.InviteOperator(
        operator="mia", role="operator", display_name="Mia Lund", email="mia@shop.example"
    )
    given().when(command).then(invited())
    given(invited()).when(command).refused("operator_exists")


def test_a_change_of_role_says_from_what_to_what() -> None:
    given(invited()).when(change_role("viewer")).then(
        events.OperatorRoleChanged(operator="mia", before="operator", role="viewer")
    )


def test_a_role_that_somebody_has_already_is_no_change() -> None:
    given(invited()).when(change_role("operator")).refused("unchanged")


def test_a_role_that_does_not_exist_is_refused_with_those_that_do() -> None:
    refused = given(invited()).when(change_role("boss")).refused("no_such_role")
    assert "viewer, operator, supervisor, admin" in refused.sentence


def test_nobody_changes_their_own_role() -> None:
    given(invited("admin"), sender="mia").when(change_role("viewer")).refused("oneself")


def test_nobody_disables_their_own_account() -> None:
    given(invited("admin"), sender="mia").when(DISABLE).refused("oneself")


@pytest.mark.parametrize("command", [DISABLE, change_role("viewer")])
def test_the_last_administrator_stays_one(command: Command) -> None:
    last = {"administrators": frozenset({"mia"})}
    given(invited("admin"), **last).when(command).refused("last_administrator")
    assert given(invited("admin")).when(command).accepted


def test_somebody_else_than_the_only_administrator_can_be_disabled() -> None:
    given(invited(), administrators=frozenset({"zoe"})).when(DISABLE).then(DISABLED)


@pytest.mark.parametrize(
    "command",
    [
        change_role("admin"),
        commands.ResetPassword(operator="mia"),
        commands.ResetSecondFactor(operator="mia", reason="Lost."),
        commands.ChangeOperatorDetails(operator="mia", email="other@shop.example"),
        commands.ChangeOperatorTeam(operator="mia", team="returns"),
        commands.EndSessions(operator="mia"),
        DISABLE,
    ],
)
def test_who_may_less_does_not_touch_the_account_of_who_may_more(command: Command) -> None:
    few = {"permissions": ROLES["viewer"] | {"operators.manage"}}
    for before in ("supervisor",):
        given(invited(before), **few).when(command).refused("beyond_yours")


def test_nobody_invites_with_a_role_that_may_more_than_they_may() -> None:
    command = commands.InviteOperator(operator="mia", role="admin")
    few = {"permissions": ROLES["supervisor"] | {"operators.manage"}}
    given(**few).when(command).refused("beyond_yours")


def test_disabled_and_enabled_alternate() -> None:
    enable = commands.EnableOperator(operator="mia")
    given(invited(), DISABLED).when(DISABLE).refused("already_disabled")
    given(invited()).when(enable).refused("not_disabled")
    given(invited(), DISABLED).when(enable).then(events.OperatorEnabled(operator="mia"))


def test_nobody_resets_their_own_password() -> None:
    """They could not sign in to see the link."""
    reset = commands.ResetPassword(operator="mia")
    given(invited("admin"), sender="mia").when(reset).refused("oneself")


def test_a_disabled_account_gets_no_link() -> None:
    reset = commands.ResetPassword(operator="mia")
    given(invited(), DISABLED).when(reset).refused("already_disabled")


@pytest.mark.parametrize(
    "command",
    [
        DISABLE,
        change_role("viewer"),
        commands.EnableOperator(operator="mia"),
        commands.ResetPassword(operator="mia"),
        commands.EndSessions(operator="mia"),
        commands.RecordPassword(operator="mia"),
    ],
)
def test_there_has_to_be_an_account(command: Command) -> None:
    outcome: Outcome = given().when(command)
    outcome.refused("no_such_operator")


def test_who_was_there_before_is_recorded_as_they_were() -> None:
    command = commands.RecordOperator(
        operator="mia", role="viewer", created_at=NOON, disabled_at=NOON, team="returns"
    )
    account = (
        given()
        .when(command)
        .then(
            events.OperatorRecorded(
                operator="mia",
                role="viewer",
                display_name="",
                team="returns",
                created_at=NOON,
                disabled_at=NOON,
            )
        )
    )
    assert (account.role, account.team, account.disabled) == ("viewer", "returns", True)
    given(invited()).when(command).refused("operator_exists")
