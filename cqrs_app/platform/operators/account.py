"""One operator's account, in a stream of its own. Pure; rows and secrets are changed in the same
transaction: see changes.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate, Decision
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.operators import commands, events
from cqrs_app.platform.operators.rules import (
    ALREADY_DISABLED,
    BEYOND_YOURS,
    LAST_ADMINISTRATOR,
    LINK_USED,
    NO_SUCH_OPERATOR,
    NO_SUCH_ROLE,
    NOT_DISABLED,
    ONESELF,
    OPERATOR_EXISTS,
    UNCHANGED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a decision about one operator needs of others. `sender` is the person behind the
    command, `permissions` are theirs; `administrators` those who can sign in; `roles` has each
    role's permissions. `link_used`: the password is chosen with a sign-in link that is not open."""

    sender: str = ""
    permissions: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    link_used: bool = False


NONE = Facts()


@rule(NO_SUCH_OPERATOR)
def exists(account: OperatorAccount, operator: str) -> None:
    if not account.role:
        raise NO_SUCH_OPERATOR.because(f"There is no operator called {operator}.")


@rule(ALREADY_DISABLED, after=exists)
def is_enabled(account: OperatorAccount, operator: str) -> None:
    if account.disabled:
        raise ALREADY_DISABLED.because(f"{operator} is disabled already.")


@rule(NOT_DISABLED, after=exists)
def is_disabled(account: OperatorAccount, operator: str) -> None:
    if not account.disabled:
        raise NOT_DISABLED.because(f"{operator} is not disabled.")


@dataclass
class OperatorAccount(Aggregate):
    """`role` is empty for no account."""

    category: ClassVar[str] = "operator"
    identity: ClassVar[str] = "operator"

    role: str = ""
    team: str = ""
    disabled: bool = False

    @handles(commands.InviteOperator, refusals=[OPERATOR_EXISTS, NO_SUCH_ROLE, BEYOND_YOURS])
    def invite(self, command: commands.InviteOperator, facts: Facts = NONE) -> Decision:
        if self.role:
            raise OPERATOR_EXISTS.because(
                f"There is an operator called {command.operator} already."
            )
        _require_role(command.role, facts)
        yield events.OperatorInvited(
            operator=command.operator,
            role=command.role,
            display_name=command.display_name,
            email=command.email,
            team=command.team,
        )

    @handles(
        commands.ChangeOperatorRole,
        when=exists,
        refusals=[NO_SUCH_ROLE, BEYOND_YOURS, ONESELF, LAST_ADMINISTRATOR, UNCHANGED],
    )
    def change_role(self, command: commands.ChangeOperatorRole, facts: Facts = NONE) -> Decision:
        if command.role == self.role:
            raise UNCHANGED.because(f"{command.operator} has the role {self.role} already.")
        if facts.sender == command.operator:
            raise ONESELF.because("Nobody changes their own role.", "Ask somebody else.")
        _require_role(self.role, facts)
        _require_role(command.role, facts)
        _require_another_administrator(command.operator, facts)
        yield events.OperatorRoleChanged(
            operator=command.operator, before=self.role, role=command.role
        )

    @handles(commands.ChangeOperatorTeam, when=exists, refusals=[BEYOND_YOURS, UNCHANGED])
    def change_team(self, command: commands.ChangeOperatorTeam, facts: Facts = NONE) -> Decision:
        if command.team == self.team:
            where = f"team {self.team}" if self.team else "no team"
            raise UNCHANGED.because(f"{command.operator} is in {where} already.")
        _require_role(self.role, facts)
        yield events.OperatorTeamChanged(
            operator=command.operator, before=self.team, team=command.team
        )

    @handles(commands.ChangeOperatorDetails, when=exists, refusals=[BEYOND_YOURS])
    def change_details(
        self, command: commands.ChangeOperatorDetails, facts: Facts = NONE
    ) -> Decision:
        _require_role(self.role, facts)
        yield events.OperatorDetailsChanged(
            operator=command.operator,
            display_name=command.display_name,
            email=command.email,
        )

    @handles(
        commands.DisableOperator,
        when=is_enabled,
        refusals=[LAST_ADMINISTRATOR, ONESELF, BEYOND_YOURS],
    )
    def disable(self, command: commands.DisableOperator, facts: Facts = NONE) -> Decision:
        _require_another_administrator(command.operator, facts)
        if facts.sender == command.operator:
            raise ONESELF.because("Nobody disables their own account.", "Ask somebody else.")
        _require_role(self.role, facts)
        yield events.OperatorDisabled(operator=command.operator, reason=command.reason)

    @handles(commands.EnableOperator, when=is_disabled, refusals=[BEYOND_YOURS])
    def enable(self, command: commands.EnableOperator, facts: Facts = NONE) -> Decision:
        _require_role(self.role, facts)
        yield events.OperatorEnabled(operator=command.operator)

    @handles(commands.ResetPassword, when=is_enabled, refusals=[BEYOND_YOURS, ONESELF])
    def reset_password(self, command: commands.ResetPassword, facts: Facts = NONE) -> Decision:
        if facts.sender == command.operator:
            raise ONESELF.because(
                "Nobody resets their own password.",
                "Change it on Your account.",
            )
        _require_role(self.role, facts)
        yield events.PasswordReset(operator=command.operator)

    @handles(commands.EndSessions, when=exists, refusals=[BEYOND_YOURS])
    def end_sessions(self, command: commands.EndSessions, facts: Facts = NONE) -> Decision:
        _require_role(self.role, facts)
        yield events.SessionsEnded(operator=command.operator)

    @handles(commands.ResetSecondFactor, when=exists, refusals=[BEYOND_YOURS])
    def reset_second_factor(
        self, command: commands.ResetSecondFactor, facts: Facts = NONE
    ) -> Decision:
        _require_role(self.role, facts)
        yield events.SecondFactorReset(operator=command.operator, reason=command.reason)

    @handles(commands.RecordPassword, refusals=[NO_SUCH_OPERATOR, LINK_USED])
    def record_password(self, command: commands.RecordPassword, facts: Facts = NONE) -> Decision:
        exists(self, command.operator)
        if facts.link_used:
            raise LINK_USED.because(
                "This link was used a moment ago.", "Sign in, or ask an administrator for another."
            )
        yield events.PasswordRecorded(operator=command.operator, temporary=command.temporary)

    @handles(commands.RecordEmail, refusals=[NO_SUCH_OPERATOR])
    def record_email(self, command: commands.RecordEmail, facts: Facts = NONE) -> Decision:
        exists(self, command.operator)
        yield events.EmailRecorded(operator=command.operator, email=command.email)

    @handles(commands.RecordOperator, refusals=[OPERATOR_EXISTS])
    def record(self, command: commands.RecordOperator, facts: Facts = NONE) -> Decision:
        if self.role:
            raise OPERATOR_EXISTS.because(f"{command.operator} is recorded already.")
        yield events.OperatorRecorded(
            operator=command.operator,
            role=command.role,
            display_name=command.display_name,
            team=command.team,
            created_at=command.created_at,
            disabled_at=command.disabled_at,
        )

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case events.OperatorInvited():
                self.role, self.team = event.role, event.team
            case events.OperatorRecorded():
                self.role, self.team = event.role, event.team
                self.disabled = event.disabled_at is not None
            case events.OperatorRoleChanged():
                self.role = event.role
            case events.OperatorTeamChanged():
                self.team = event.team
            case events.OperatorDisabled():
                self.disabled = True
            case events.OperatorEnabled():
                self.disabled = False


def _require_role(role: str, facts: Facts) -> None:
    """Nobody gives a role, or touches the account of who has it, who may not do all that it may."""
    if role not in facts.roles:
        names = ", ".join(facts.roles)
        raise NO_SUCH_ROLE.because(f"There is no role {role!r}.", f"Choose one of {names}.")
    beyond = sorted(facts.roles[role] - facts.permissions)
    if beyond:
        raise BEYOND_YOURS.because(
            f"The role {role} may do what you may not: {', '.join(beyond)}.",
            "Ask somebody who may.",
        )


def _require_another_administrator(operator: str, facts: Facts) -> None:
    if facts.administrators == {operator}:
        raise LAST_ADMINISTRATOR.because(
            f"{operator} is the last administrator.",
            "Make another one first.",
        )
