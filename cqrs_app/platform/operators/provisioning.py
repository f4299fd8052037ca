"""Operators and groups as an identity provider provisions them (SCIM 2.0): what it calls them, and
the roles that its groups give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.commands import (
    ChangeOperatorDetails,
    ChangeOperatorRole,
    DisableOperator,
    EnableOperator,
    InviteOperator,
)
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.sign_on_rules import SignOnRules
from cqrs_app.platform.operators.tables import (
    operators,
    scim_groups,
    scim_members,
    scim_users,
)

CHANNEL = "scim"
MOST_GROUPS = 1_000
MOST_MEMBERS = 5_000
DEPROVISIONED = "Deprovisioned by the identity provider."

_OPERATOR, _USER, _GROUP, _MEMBER = operators.c, scim_users.c, scim_groups.c, scim_members.c


class NoSuchResource(AccountError):
    """There is no such user or group."""


class AlreadyThere(AccountError):
    """There is a user or a group of this name already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedUser:
    """An operator. `groups` are pairs of a group's id and its name."""

    name: str
    display_name: str = ""
    email: str = ""
    active: bool = True
    external_id: str = ""
    created_at: datetime | None = None
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedGroup:
    """`members` are names of operators."""

    group_id: str
    display_name: str
    external_id: str = ""
    created_at: datetime | None = None
    members: tuple[str, ...] = ()


class Provisioning:
    """`rules` give the role of who is in groups; operators in `hidden` are none of a provider's
    business. Raises AccountError. Every change of an operator is a command, sent by the actor."""

    def __init__(
        self,
        engine: Engine,
        accounts: Accounts,
        rules: SignOnRules,
        hidden: Collection[str] = (),
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._accounts = accounts
        self._rules = rules
        self._hidden = tuple(hidden)
        self._clock = clock

    def users(self, names: Collection[str] | None = None) -> list[ProvisionedUser]:
        """Those that are not deprovisioned, by name."""
        found = (
            select(
                _OPERATOR.name,
                _OPERATOR.display_name,
                _OPERATOR.email,
                _OPERATOR.disabled_at,
                _OPERATOR.created_at,
                func.coalesce(_USER.external_id, "").label("external_id"),
            )
            .select_from(operators.outerjoin(scim_users, _USER.operator == _OPERATOR.name))
            .where(_USER.deleted_at.is_(None), _OPERATOR.name.not_in(self._hidden))
            .order_by(_OPERATOR.name)
        )
        if names is not None:
            found = found.where(_OPERATOR.name.in_(names))
        with self._reader.connect() as connection:
            rows = connection.execute(found).all()
            groups = _groups_of(connection, [row.name for row in rows] if names else None)
        return [
            ProvisionedUser(
                name=row.name,
                display_name=row.display_name,
                email=row.email or "",
                active=row.disabled_at is None,
                external_id=row.external_id,
                created_at=row.created_at,
                groups=tuple(groups.get(row.name, ())),
            )
            for row in rows
        ]

    def user(self, name: str) -> ProvisionedUser:
        """Raises NoSuchResource."""
        found = self.users([name])
        if not found:
            raise NoSuchResource(f"There is no user {name}.")
        return found[0]

    def create_user(self, user: ProvisionedUser, actor: Actor) -> ProvisionedUser:
        """Invite an operator, or take one up again who was deprovisioned, with the role of a new
        one. Raises AlreadyThere."""
        if self.users([user.name]):
            raise AlreadyThere(f"There is a user {user.name} already.")
        if user.name in self._hidden:
            raise AlreadyThere(f"There is an operator {user.name} who is not provisioned.")
        role = self._rules.role_of({})
        if self._accounts.known(user.name):
            # Before the account works again: what groups gave ended with them.
            if self._accounts.get(user.name).role != role:
                self._send(ChangeOperatorRole(operator=user.name, role=role), actor)
            self._remember(user)
            return self.change_user(user, actor)
        self._send(
            InviteOperator(
                operator=user.name, role=role, display_name=user.display_name, email=user.email
            ),
            actor,
        )
        self._remember(user)
        if not user.active:
            self._send(DisableOperator(operator=user.name, reason=DEPROVISIONED), actor)
        return self.user(user.name)

    def change_user(self, user: ProvisionedUser, actor: Actor) -> ProvisionedUser:
        """Make the operator as the user is. Raises NoSuchResource."""
        before = self.user(user.name)
        shown = user.display_name or user.name
        if (shown, user.email) != (before.display_name, before.email):
            details = {"display_name": "" if shown == user.name else shown, "email": user.email}
            self._send(ChangeOperatorDetails(operator=user.name, **details), actor)
        if user.active and not before.active:
            self._send(EnableOperator(operator=user.name), actor)
        if before.active and not user.active:
            self._send(DisableOperator(operator=user.name, reason=DEPROVISIONED), actor)
        if user.external_id != before.external_id:
            self._remember(user)
        return self.user(user.name)

    def delete_user(self, name: str, actor: Actor) -> None:
        """Disable the operator, who keeps a history here, and forget the user. Raises
        NoSuchResource."""
        user = self.user(name)
        if user.active:
            self._send(DisableOperator(operator=name, reason=DEPROVISIONED), actor)
        with self._engine.begin() as connection:
            _remember(connection, user, deleted_at=self._clock())
            connection.execute(delete(scim_members).where(_MEMBER.operator == name))

    def groups(self, group_id: str | None = None) -> list[ProvisionedGroup]:
        """All groups by name, or one."""
        found = select(scim_groups).order_by(_GROUP.display_name, _GROUP.group_id)
        members = select(_MEMBER.group_id, _MEMBER.operator).order_by(_MEMBER.operator)
        if group_id is not None:
            found = found.where(_GROUP.group_id == group_id)
            members = members.where(_MEMBER.group_id == group_id)
        of_group = defaultdict[str, list[str]](list)
        with self._reader.connect() as connection:
            for row in connection.execute(members):
                of_group[row.group_id].append(row.operator)
            return [
                ProvisionedGroup(
                    group_id=row.group_id,
                    display_name=row.display_name,
                    external_id=row.external_id,
                    created_at=row.created_at,
                    members=tuple(of_group[row.group_id]),
                )
                for row in connection.execute(found)
            ]

    def group(self, group_id: str) -> ProvisionedGroup:
        """Raises NoSuchResource."""
        found = self.groups(group_id)
        if not found:
            raise NoSuchResource("There is no such group.")
        return found[0]

    def create_group(self, group: ProvisionedGroup, actor: Actor) -> ProvisionedGroup:
        """Raises AlreadyThere."""
        others = self.groups()
        if any(each.display_name == group.display_name for each in others):
            raise AlreadyThere(f"There is a group {group.display_name} already.")
        if len(others) >= MOST_GROUPS:
            raise AccountError(f"There are {MOST_GROUPS} groups, which is as many as are kept.")
        self._change_group(None, group, actor)
        return self.group(group.group_id)

    def change_group(self, group: ProvisionedGroup, actor: Actor) -> ProvisionedGroup:
        """Raises NoSuchResource."""
        self._change_group(self.group(group.group_id), group, actor)
        return self.group(group.group_id)

    def delete_group(self, group_id: str, actor: Actor) -> None:
        """Raises NoSuchResource."""
        self._change_group(self.group(group_id), None, actor)

    def _change_group(
        self, before: ProvisionedGroup | None, after: ProvisionedGroup | None, actor: Actor
    ) -> None:
        members = set(after.members) if after else set()
        self._require_users(members, before.members if before else ())
        # Roles first: if one is refused, the provider sends the whole change again.
        affected = members.union(before.members if before else ())
        self._assign_roles(affected, before, after, actor)
        with self._engine.begin() as connection:
            _write_group(connection, before, after, self._clock())

    def _require_users(self, members: Collection[str], known: Collection[str]) -> None:
        if len(members) > MOST_MEMBERS:
            raise AccountError(f"A group has at most {MOST_MEMBERS} members.")
        missing = set(members).difference(known)
        if missing:
            missing -= {each.name for each in self.users(missing)}
        if missing:
            raise AccountError(f"There is no user {min(missing)}.")

    def _assign_roles(
        self,
        affected: Iterable[str],
        before: ProvisionedGroup | None,
        after: ProvisionedGroup | None,
        actor: Actor,
    ) -> None:
        if not self._rules.roles:
            return  # they are assigned here
        ours = {each.group_id for each in (before, after) if each is not None}
        names = sorted(affected)
        with self._reader.connect() as connection:
            found = select(_OPERATOR.name, _OPERATOR.role).where(_OPERATOR.name.in_(names))
            roles = {row.name: row.role for row in connection.execute(found)}
            groups = _groups_of(connection, names)
        for name in names:
            mine = {title for group_id, title in groups.get(name, ()) if group_id not in ours}
            if after is not None and name in after.members:
                mine.add(after.display_name)
            role = self._rules.role_of({self._rules.roles_claim: sorted(mine)})
            if role != roles[name]:
                self._send(ChangeOperatorRole(operator=name, role=role), actor)

    def _remember(self, user: ProvisionedUser) -> None:
        with self._engine.begin() as connection:
            _remember(connection, user, deleted_at=None)

    def _send(self, command: Command, actor: Actor) -> None:
        self._accounts.send(command, actor, CHANNEL)


def _remember(
    connection: Connection, user: ProvisionedUser, *, deleted_at: datetime | None
) -> None:
    values = {"external_id": user.external_id, "deleted_at": deleted_at}
    row = insert_into(connection, scim_users).values(operator=user.name, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["operator"], set_=values))


def _groups_of(
    connection: Connection, names: Collection[str] | None
) -> Mapping[str, list[tuple[str, str]]]:
    """Operator -> (id, name) of the groups."""
    found = (
        select(_MEMBER.operator, _GROUP.group_id, _GROUP.display_name)
        .join(scim_groups, _GROUP.group_id == _MEMBER.group_id)
        .order_by(_GROUP.display_name)
    )
    if names is not None:
        found = found.where(_MEMBER.operator.in_(names))
    groups = defaultdict[str, list[tuple[str, str]]](list)
    for row in connection.execute(found):
        groups[row.operator].append((row.group_id, row.display_name))
    return groups


def _write_group(
    connection: Connection,
    before: ProvisionedGroup | None,
    after: ProvisionedGroup | None,
    now: datetime,
) -> None:
    if before is not None:
        mine = _MEMBER.group_id == before.group_id
        connection.execute(delete(scim_members).where(mine))
    if after is None:
        if before is not None:
            gone = delete(scim_groups).where(_GROUP.group_id == before.group_id)
            connection.execute(gone)
        return
    values = {"display_name": after.display_name, "external_id": after.external_id}
    if before is None:
        made = insert(scim_groups).values(group_id=after.group_id, created_at=now, **values)
        connection.execute(made)
    else:
        mine = _GROUP.group_id == after.group_id
        connection.execute(update(scim_groups).where(mine).values(values))
    rows = [{"group_id": after.group_id, "operator": name} for name in sorted(set(after.members))]
    if rows:
        connection.execute(insert(scim_members), rows)
