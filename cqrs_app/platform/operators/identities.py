"""Who signs in with an OpenID provider: the provider's identities, each linked to one operator.

An identity is an issuer and its subject. A name or an e-mail address links nothing: whoever may
change those at the provider could take over an account here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, delete, select, update
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.changes import end_sessions, link_identity
from cqrs_app.platform.operators.chosen_passwords import ChosenPassword, with_password
from cqrs_app.platform.operators.commands import ChangeOperatorRole, InviteOperator
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.names import account_of, usable_name
from cqrs_app.platform.operators.notices import add_notice
from cqrs_app.platform.operators.tables import (
    ISSUER_LENGTH,
    SUBJECT_LENGTH,
    operator_identities,
)

DISABLED = "This account is disabled. Ask an administrator."
NOT_LINKED = (
    "Nobody here is linked to your account at {}. Sign in another way and link it on Your account, "
    "or ask an administrator."
)
NO_ROLE = "Your account at {} gives you no role here. Ask an administrator."
NAME_TAKEN = (
    "There is an operator called {} already, who is not linked to your account at {}. Ask an "
    "administrator."
)
LINKED_ELSEWHERE = "This account at {} is linked to another operator. Nothing was changed."

_columns = operator_identities.c


@dataclass(frozen=True, slots=True)
class Identity:
    """A person at a provider. Neither changes, and no two persons have the same."""

    issuer: str
    subject: str

    @classmethod
    def of(cls, issuer: object, subject: object) -> Identity:
        """Raises ValueError for values that no provider may send."""
        for value, longest in ((issuer, ISSUER_LENGTH), (subject, SUBJECT_LENGTH)):
            if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
                raise ValueError("not an identity")
        return cls(str(issuer), str(subject))

    @property
    def key(self) -> str:
        """What sessions keep of it."""
        return hash_of(self.issuer, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signed in at a provider. `name` is the account they would like, `role` what the claims
    give, both perhaps empty; `session` is the provider's; `authenticated_at`: when they last proved
    there who they are."""

    identity: Identity
    name: str
    display_name: str
    role: str
    session: str
    second_factor: bool
    authenticated_at: datetime | None


class Identities:
    """Every change is one transaction. Raises AccountError if it is not possible. `provider` is its
    name in sentences."""

    def __init__(
        self,
        engine: Engine,
        provider: str,
        accounts: Accounts,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._reader = reader_of(engine)
        self._provider = provider
        self._clock = clock

    def operator_of(self, identity: Identity) -> str | None:
        """The operator who is linked to it."""
        with self._reader.connect() as connection:
            return connection.execute(select(_columns.operator).where(_is(identity))).scalar()

    def of(self, operator: str) -> Identity | None:
        """The identity that an operator is linked to."""
        found = select(_columns.issuer, _columns.subject).where(_columns.operator == operator)
        with self._reader.connect() as connection:
            row = connection.execute(found).first()
        return Identity(*row) if row else None

    def link(self, operator: str, identity: Identity) -> None:
        """Link an operator to this identity, in place of a former one."""
        now, account = self._clock(), account_of(operator)
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(operator_identities).where(_columns.operator == account))
                link_identity(connection, account, identity.issuer, identity.subject, now)
                add_notice(connection, account, f"{self._provider} was linked.", now)
        except IntegrityError:
            raise AccountError(LINKED_ELSEWHERE.format(self._provider)) from None

    def unlink(self, operator: str) -> bool:
        """Remove the link and end all sessions of the operator, those that wait for a second factor
        included. Returns whether there was a link; otherwise nothing changes."""
        account = account_of(operator)
        with self._engine.begin() as connection:
            gone = delete(operator_identities).where(_columns.operator == account)
            if not connection.execute(gone).rowcount:
                return False
            end_sessions(connection, account, self._clock())
            return True

    def admit(self, person: Person, *, creates: bool, assigns_roles: bool) -> str:
        """The operator who this person is. `creates`: one is created for a person who is not linked
        yet. `assigns_roles`: the operator gets the person's role."""
        operator = self.operator_of(person.identity)
        if operator is None and not creates:
            raise AccountError(NOT_LINKED.format(self._provider))
        if not person.role and (assigns_roles or operator is None):
            raise AccountError(NO_ROLE.format(self._provider))
        if operator is None:
            return self._create(person)
        account = self._accounts.get(operator)
        if account.disabled_at is not None:
            raise AccountError(DISABLED)
        if assigns_roles and account.role != person.role:
            self._accounts.send(ChangeOperatorRole(operator=operator, role=person.role))
        with self._engine.begin() as connection:
            if assigns_roles and account.role != person.role:
                sentence = f"Your role is now {person.role}."
                add_notice(connection, operator, sentence, self._clock())
            seen = update(operator_identities).where(_is(person.identity))
            connection.execute(seen.values(last_used_at=self._clock()))
        return operator

    def _create(self, person: Person) -> str:
        account, identity = usable_name(person.name, "an operator's"), person.identity
        if account in {each.name for each in self._accounts.list()}:
            raise AccountError(NAME_TAKEN.format(account, self._provider))
        shown = " ".join(person.display_name.replace("\x00", "").split())[:100]
        invitation = InviteOperator(operator=account, role=person.role, display_name=shown)
        # Nobody has a password for the account, nor gets a link to choose one.
        linked = ChosenPassword("", temporary=False, identity=(identity.issuer, identity.subject))
        try:
            with with_password(linked):
                self._accounts.send(invitation)
        except IntegrityError:
            raise AccountError(LINKED_ELSEWHERE.format(self._provider)) from None
        return account


def hash_of(*parts: str) -> str:
    """Of fixed length, whatever the provider sends. No part contains NUL."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _is(identity: Identity) -> ColumnElement[bool]:
    return and_(_columns.issuer == identity.issuer, _columns.subject == identity.subject)
