"""The shop's own roles, all in one stream: each is a built-in role with fewer permissions, and
limits. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta

from cqrs_app.kernel.commands.aggregate import Aggregate, Decision
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.messages.messages import Event, Query, query
from cqrs_app.platform.operators.commands import MANAGE, ChangeRole, DefineRole, RemoveRole
from cqrs_app.platform.operators.events import RoleChanged, RoleDefined, RoleRemoved
from cqrs_app.platform.operators.roles import MANAGE_TOKENS, SCIM
from cqrs_app.platform.operators.rules import (
    BEYOND_ROLE,
    BEYOND_YOURS,
    LIMITS_AVOIDABLE,
    NO_SUCH_ROLE,
    ROLE_EXISTS,
    ROLE_IN_USE,
    UNCHANGED,
    UNKNOWN_LIMIT,
    UNKNOWN_PERMISSION,
)
from cqrs_app.platform.operators.tables import ROLE_LENGTH
from cqrs_app.platform.operators.types import CustomRole
from cqrs_app.standards.countries import country_name, is_country


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts:
    """`built_in` has the permissions of the built-in roles, `permissions` are those of the sender;
    `holders` are the operators and tokens that have the role, `commands` the names of all
    commands."""

    built_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    permissions: frozenset[str] = frozenset()
    holders: tuple[str, ...] = ()
    commands: Collection[str] = ()


NONE = RoleFacts()
LIFTING = {MANAGE, MANAGE_TOKENS, SCIM}
"""Who may change roles, or make a token with another one, has no limits."""


@rule(NO_SUCH_ROLE)
def is_defined(roles: CustomRoles, role: str) -> None:
    if role not in roles.roles:
        raise NO_SUCH_ROLE.because(f"There is no custom role {role}.")


@dataclass
class CustomRoles(Aggregate):
    category: ClassVar[str] = "operator_roles"
    identity: ClassVar[str] = "role"

    roles: dict[str, CustomRole] = field(default_factory=dict)

    @classmethod
    def stream_of(cls, identity: str) -> str:
        return f"{cls.category}-all"

    @handles(
        DefineRole,
        refusals=[
            ROLE_EXISTS,
            UNKNOWN_PERMISSION,
            BEYOND_ROLE,
            BEYOND_YOURS,
            UNKNOWN_LIMIT,
            LIMITS_AVOIDABLE,
        ],
    )
    def define(self, command: DefineRole, facts: RoleFacts = NONE) -> Decision:
        if command.role in self.roles:
            raise ROLE_EXISTS.because(f"There is a role {command.role} already.")
        definition = _definition(command, str(command.based_on))
        _require_usable(definition, facts)
        yield RoleDefined(definition=definition)

    @handles(
        ChangeRole,
        when=is_defined,
        refusals=[
            UNKNOWN_PERMISSION,
            BEYOND_ROLE,
            BEYOND_YOURS,
            UNKNOWN_LIMIT,
            LIMITS_AVOIDABLE,
            UNCHANGED,
        ],
    )
    def change(self, command: ChangeRole, facts: RoleFacts = NONE) -> Decision:
        before = self.roles[command.role]
        definition = _definition(command, before.based_on)
        if definition == before:
            raise UNCHANGED.because(f"The role {command.role} is so already.")
        _require_usable(definition, facts)
        yield RoleChanged(before=before, definition=definition)

    @handles(RemoveRole, when=is_defined, refusals=[ROLE_IN_USE])
    def remove(self, command: RemoveRole, facts: RoleFacts = NONE) -> Decision:
        if facts.holders:
            raise ROLE_IN_USE.because(
                f"The role {command.role} is in use by {', '.join(facts.holders)}.",
                "Give them another role first.",
            )
        yield RoleRemoved(role=command.role)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case RoleDefined() | RoleChanged():
                self.roles[event.definition.role] = event.definition
            case RoleRemoved():
                self.roles.pop(event.role, None)


@query(label="Custom roles", permission=MANAGE)
class ListCustomRoles(Query):
    """The roles that the shop defined."""

    role: Annotated[str, Meta(title="Role", max_length=ROLE_LENGTH)] = ""


def list_custom_roles(
    question: ListCustomRoles, roles: CustomRoles, version: int
) -> tuple[CustomRole, ...]:
    found = roles.roles.values()
    return tuple(each for each in found if question.role in ("", each.role))


def _definition(command: DefineRole | ChangeRole, based_on: str) -> CustomRole:
    same = {
        each.name: getattr(command, each.name)
        for each in fields(CustomRole)
        if each.name != "based_on"
    }
    unique = {
        "permissions": tuple(sorted(set(command.permissions))),
        "countries": tuple(map(_country, command.countries)),
        "based_on": based_on,
    }
    return CustomRole(**same | unique)


def _country(text: str) -> str:
    return country_name(text) or text


def _require_usable(definition: CustomRole, facts: RoleFacts) -> None:
    known = frozenset[str]().union(*facts.built_in.values())
    chosen = frozenset(definition.permissions)
    if unknown := sorted(chosen - known):
        raise UNKNOWN_PERMISSION.because(f"There is no permission {', '.join(unknown)}.")
    if beyond := sorted(chosen - facts.built_in[definition.based_on]):
        raise BEYOND_ROLE.because(
            f"The role {definition.based_on} does not have {', '.join(beyond)}.",
            "Leave these out, or base the role on another.",
        )
    if beyond := sorted(chosen - facts.permissions):
        raise BEYOND_YOURS.because(f"You do not have {', '.join(beyond)} yourself.")
    if definition.is_limited and (lifting := sorted(chosen & LIFTING)):
        raise LIMITS_AVOIDABLE.because(
            f"With {', '.join(lifting)} whoever has the role could lift its limits.",
            "Leave these out, or the limits.",
        )
    for country in definition.countries:
        if not is_country(country):
            raise UNKNOWN_LIMIT.because(f"{country} is no country.")
    limited = [each.command for each in definition.amounts]
    for name in limited:
        if name not in facts.commands:
            raise UNKNOWN_LIMIT.because(
                f"There is no action {name}.",
                "Use the names of commands as they are in the catalogue, such as RefundPayment.",
            )
