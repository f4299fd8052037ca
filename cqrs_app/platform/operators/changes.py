"""What commands on operators need and change in the write store: rows change in the transaction of
the events, so that neither is there without the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, case, delete, insert, or_, select, update

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Actor, Receipt
from cqrs_app.kernel.commands.middleware import Proceed
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.operators import commands
from cqrs_app.platform.operators.access import AccessOf
from cqrs_app.platform.operators.account import Facts
from cqrs_app.platform.operators.chosen_passwords import chosen
from cqrs_app.platform.operators.custom_roles import RoleFacts
from cqrs_app.platform.operators.notices import add_notice
from cqrs_app.platform.operators.roles import LIMITED, KnownRoles, Roles
from cqrs_app.platform.operators.rules import CHANGED_ACCESS
from cqrs_app.platform.operators.tables import (
    api_tokens,
    authenticator_apps,
    operator_identities,
    operator_links,
    operator_roles,
    operators,
    passkeys,
    recovery_codes,
    sessions,
)
from cqrs_app.platform.operators.tokens import ACTOR_PREFIX
from cqrs_app.platform.operators.types import CustomRole

INVITATION_LIVES = timedelta(days=3)
RESET_LIVES = timedelta(days=1)
ON_OPERATORS = (
    commands.InviteOperator,
    commands.ChangeOperatorRole,
    commands.ChangeOperatorTeam,
    commands.ChangeOperatorDetails,
    commands.DisableOperator,
    commands.EnableOperator,
    commands.ResetPassword,
    commands.EndSessions,
    commands.ResetSecondFactor,
    commands.RecordPassword,
    commands.RecordEmail,
    commands.RecordOperator,
)
ENDING_SESSIONS = (
    commands.DisableOperator,
    commands.ResetPassword,
    commands.EndSessions,
    commands.ResetSecondFactor,
    commands.RecordPassword,
)
ON_ROLES = (commands.DefineRole, commands.ChangeRole, commands.RemoveRole)
_OPERATOR = operators.c


@dataclass(slots=True)
class OperatorChanges:
    """Middleware of a registry, whose built-in roles and commands it is bound to afterwards."""

    engine: Engine
    roles: KnownRoles = field(init=False)
    command_names: Collection[str] = field(init=False)

    def bind(self, roles: Roles, command_names: Collection[str]) -> None:
        self.roles = KnownRoles(self.engine, roles)
        self.command_names = command_names

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        command: Any = call.command
        if isinstance(command, ON_OPERATORS):
            # One at a time, so that two administrators cannot disable each other at once.
            call.guard("operators", "operators")
            call.arguments["facts"] = self._facts(call.context.actor, command.operator)
            call.guards.append(partial(_change_operator, call))
        elif isinstance(command, ON_ROLES):
            call.guard("operators", "operators")
            call.arguments["facts"] = self._role_facts(call.context.actor, command.role)
            call.guards.append(partial(_change_role, call))
        elif isinstance(command, commands.RecordAccessReview):
            access = AccessOf(self.engine, self.roles).now()
            if access.digest != command.digest:
                raise CHANGED_ACCESS.because(
                    "Who may do what has changed since it was shown.", "Review it again."
                )
            call.arguments["operators"] = len(access.people)
        return proceed(call)

    def _facts(self, actor: Actor, operator: str) -> Facts:
        linked = select(operator_identities.c.operator)
        admins = select(_OPERATOR.name).where(
            _OPERATOR.role == Role.ADMIN,
            _OPERATOR.disabled_at.is_(None),
            or_(_OPERATOR.password_hash != "", _OPERATOR.name.in_(linked)),
        )
        links = select(operator_links.c.operator).where(operator_links.c.operator == operator)
        password = chosen()
        with reader_of(self.engine).connect() as connection:
            administrators = connection.execute(admins).scalars().all()
            sender = person_behind(connection, actor.name)
            by_link = password is not None and password.by_link
            link_used = by_link and connection.execute(links).first() is None
        return Facts(
            sender=sender,
            permissions=actor.permissions,
            administrators=frozenset(administrators),
            roles={name: each - {LIMITED} for name, each in self.roles.all().items()},
            link_used=link_used,
        )

    def _role_facts(self, actor: Actor, role: str) -> RoleFacts:
        return RoleFacts(
            built_in=self.roles.built_in,
            permissions=actor.permissions,
            holders=self.roles.holders(role),
            commands=self.command_names,
        )


def person_behind(connection: Connection, actor: str) -> str:
    """The operator who made a token, or else the actor."""
    if not actor.startswith(ACTOR_PREFIX):
        return actor
    made = (
        select(api_tokens.c.made_by)
        .where(api_tokens.c.name == actor.removeprefix(ACTOR_PREFIX))
        .order_by(api_tokens.c.created_at.desc())
        .limit(1)
    )
    return connection.execute(made).scalar() or actor


def _change_operator(call: Call, connection: Connection) -> None:
    """Change the rows of one operator as an accepted command says."""
    command, now = call.command, call.clock()
    match command:
        case commands.InviteOperator():
            connection.execute(insert(operators).values(_new_row(command, now)))
            password = chosen()
            if password is None:
                _make_link(connection, call, now + INVITATION_LIVES)
            elif password.identity:
                link_identity(connection, command.operator, *password.identity, now)
        case commands.ResetSecondFactor():
            _remove_second_factors(connection, command, now)
        case commands.RecordPassword():
            add_notice(connection, command.operator, "The password was changed.", now)
        case commands.RecordEmail():
            add_notice(connection, command.operator, "The e-mail address was changed.", now)
    if changed := _changed_columns(command, now):
        mine = _OPERATOR.name == command.operator  # type: ignore[attr-defined]
        connection.execute(update(operators).where(mine).values(changed))
    if isinstance(command, ENDING_SESSIONS):
        end_sessions(connection, command.operator, now)
    if isinstance(command, commands.ResetPassword):
        _make_link(connection, call, now + RESET_LIVES)


def link_identity(
    connection: Connection, operator: str, issuer: str, subject: str, now: datetime
) -> None:
    row = {"issuer": issuer, "subject": subject, "operator": operator, "created_at": now}
    connection.execute(insert(operator_identities).values(row))


def _changed_columns(command: Command, now: datetime) -> dict[str, Any]:
    match command:
        case commands.ChangeOperatorRole():
            return {"role": command.role}
        case commands.ChangeOperatorDetails():
            same = case((_OPERATOR.email == command.email, _OPERATOR.email_confirmed_at))
            return {
                "display_name": command.display_name or command.operator,
                "email": command.email,
                "email_confirmed_at": same,
            }
        case commands.RecordEmail():
            return {"email": command.email, "email_chosen": None, "email_confirmed_at": now}
        case commands.ChangeOperatorTeam():
            return {"team": command.team}
        case commands.DisableOperator():
            return {"disabled_at": now}
        case commands.EnableOperator():
            return {"disabled_at": None}
        case commands.ResetPassword():
            return {"password_hash": "", "password_changed_at": now}
        case commands.RecordPassword():
            password = chosen()
            return {
                "password_hash": password.hash if password else "",
                "password_changed_at": now,
                "must_change_password": command.temporary,
            }
    return {}


def _remove_second_factors(
    connection: Connection, command: commands.ResetSecondFactor, now: datetime
) -> None:
    for table in (authenticator_apps, passkeys, recovery_codes):
        connection.execute(delete(table).where(table.c.operator == command.operator))
    sentence = f"Your second factors were removed by an administrator: {command.reason}"
    add_notice(connection, command.operator, sentence, now)


def _new_row(command: commands.InviteOperator, now: datetime) -> dict[str, Any]:
    password = chosen()
    return {
        "name": command.operator,
        "display_name": command.display_name or command.operator,
        "role": command.role,
        "team": command.team,
        "email": command.email,
        "password_hash": password.hash if password else "",
        "disabled_at": None,
        "created_at": now,
        "password_changed_at": now,
        "must_change_password": password is not None and password.temporary,
    }


def end_sessions(connection: Connection, operator: str, now: datetime) -> None:
    """End them, and the link that may be open."""
    connection.execute(delete(operator_links).where(operator_links.c.operator == operator))
    mine = (sessions.c.operator == operator, sessions.c.revoked_at.is_(None))
    connection.execute(update(sessions).where(*mine).values(revoked_at=now))


def _make_link(connection: Connection, call: Call, expires_at: datetime) -> None:
    operator: str = call.command.operator  # type: ignore[attr-defined]
    values = {
        "command_id": call.context.command_id,
        "made_by": call.context.actor.name,
        "expires_at": expires_at,
        "taken": False,
    }
    row = insert_into(connection, operator_links).values(operator=operator, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["operator"], set_=values))


def _change_role(call: Call, connection: Connection) -> None:
    command = call.command
    assert isinstance(command, ON_ROLES)  # noqa: S101 - what the middleware adds this for
    connection.execute(delete(operator_roles).where(operator_roles.c.name == command.role))
    if isinstance(command, commands.RemoveRole) or not call.written:
        return
    stored = msgspec.json.decode(call.written[-1].payload)
    definition = msgspec.convert(stored["definition"], CustomRole, strict=False)
    marks = (LIMITED,) if definition.is_limited else ()
    row = {
        "name": definition.role,
        "based_on": definition.based_on,
        "permissions": " ".join((*definition.permissions, *marks)),
        "definition": msgspec.json.encode(definition).decode(),
    }
    connection.execute(insert(operator_roles).values(row))
