"""API tokens, in the write store: one that is revoked there stops working with the next request."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.store.deadlines import LOOK_UP_SECONDS, answered_within
from cqrs_app.kernel.store.engines import placeholder_of, raw_connection, reader_of
from cqrs_app.networks import is_in
from cqrs_app.networks import networks as parsed_networks
from cqrs_app.platform.operators.errors import TokenError
from cqrs_app.platform.operators.names import account_of, usable_name
from cqrs_app.platform.operators.roles import (
    LIMITED,
    KnownRoles,
    Roles,
    at_most,
    narrowed,
    permissions_of,
)
from cqrs_app.platform.operators.sessions import SEEN_EVERY, TOKEN_BYTES
from cqrs_app.platform.operators.tables import (
    MAKER_LENGTH,
    api_tokens,
    operator_roles,
    operators,
)

LONGEST_DAYS = 3650
DAYS = 90
"""How long a token works unless somebody chooses otherwise."""
PREFIX = "cs_"
"""The prefix of every secret, so that one left in a file can be recognised."""
ACTOR_PREFIX = "token:"
"""The prefix of its name in the log. No operator's name contains a colon."""

_tokens = api_tokens.c
_COLUMNS = [each for each in api_tokens.c if each.name != "secret_hash"]
_maker_role = operator_roles.alias("maker_role")
_BESIDE = (
    operator_roles.c.permissions.label("role_permissions"),
    operators.c.disabled_at.label("maker_disabled_at"),
    operators.c.role.label("maker"),
    _maker_role.c.permissions.label("maker_permissions"),
)
"""Of the role of a token, and of the operator who made it."""
_READ = (*(each.name for each in _COLUMNS), *(each.name for each in _BESIDE))
# Runs with every request of the API, so it bypasses SQLAlchemy.
_FIND = f"""
SELECT {", ".join(f"api_tokens.{each.name}" for each in _COLUMNS)},
    operator_roles.permissions, operators.disabled_at, operators.role, maker_role.permissions
FROM api_tokens LEFT JOIN operators ON operators.name = api_tokens.made_by
    LEFT JOIN operator_roles ON operator_roles.name = api_tokens.role
    LEFT JOIN operator_roles AS maker_role ON maker_role.name = operators.role
WHERE api_tokens.secret_hash = """  # noqa: S608
_list = select(*_COLUMNS, *_BESIDE).select_from(
    api_tokens.outerjoin(operators, operators.c.name == api_tokens.c.made_by)
    .outerjoin(operator_roles, operator_roles.c.name == api_tokens.c.role)
    .outerjoin(_maker_role, _maker_role.c.name == operators.c.role)
)
_unrevoked = _tokens.revoked_at.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token. `permissions` are its current ones, among those of its role that the operator
    who made it has now. `is_narrowed`: it has fewer than its role. `networks`: those that it works
    from, empty for any. `maker_disabled_at`: the account that made it is disabled, so it does not
    work meanwhile. Times are UTC."""

    name: str
    role: str
    permissions: frozenset[str]
    is_narrowed: bool
    networks: str
    made_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    maker_disabled_at: datetime | None

    @property
    def actor(self) -> Actor:
        """The actor for the buses."""
        return Actor(f"{ACTOR_PREFIX}{self.name}", self.permissions)

    def works_from(self, address: str) -> bool:
        return is_in(address, self.networks)

    def works_at(self, now: datetime) -> bool:
        ended = self.revoked_at is not None or self.maker_disabled_at is not None
        return not ended and (self.expires_at is None or self.expires_at > now)


def _token(values: Iterable[Any], roles: Roles) -> Token:
    """The token with these values of the columns in _READ."""
    row = dict(zip(_READ, values, strict=True))
    rights = permissions_of(roles, row["role"], row.pop("role_permissions"))
    maker, stored = row.pop("maker"), row.pop("maker_permissions")
    makers = permissions_of(roles, maker, stored) if maker else None
    # A permission that the role, or who made the token, has lost since is lost for the token too.
    permissions = at_most(narrowed(rights, frozenset(row["permissions"].split())), makers)
    return Token(**row | {"permissions": permissions, "is_narrowed": permissions != rights})


class Tokens:
    """Every change is one transaction. Raises AccountError if it is not possible."""

    def __init__(
        self,
        engine: Engine,
        roles: Roles,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._roles = roles
        self._reader = reader_of(engine)
        self._find = _FIND + placeholder_of(engine)
        read = (*_COLUMNS, *_BESIDE)
        self._read = [
            each.type.result_processor(engine.dialect, None) or _unchanged for each in read
        ]
        self._clock = clock

    def create(
        self,
        name: str,
        role: str,
        *,
        permissions: Iterable[str] = (),
        networks: str = "",
        made_by: str,
        rights: frozenset[str] | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Create a token. Returns its secret, of which only a hash is stored.

        Without `permissions` it has all those of its role. `rights` are those of who makes it, None
        for whoever works on the machine itself. Raises UnusableName or TokenError.
        """
        now, chosen = self._clock(), sorted(set(permissions))
        given = self._permissions_for(role, chosen)
        if beyond := sorted(given - {LIMITED} - rights) if rights is not None else []:
            raise TokenError(
                f"The token could do what you may not: {', '.join(beyond)}. Choose another role, "
                "or leave these out."
            )
        from_networks = _usable_networks(networks)
        if expires_at is not None and expires_at <= now:
            raise TokenError("The token would have expired already: choose a later time.")
        secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        row = {
            "secret_hash": _hash_of(secret),
            "name": usable_name(name, "a token's"),
            "role": role,
            "permissions": " ".join(chosen),
            "networks": from_networks,
            "made_by": made_by[:MAKER_LENGTH],
            "created_at": now,
            "expires_at": expires_at,
        }
        try:
            with self._engine.begin() as connection:
                # An expired token releases its name.
                expired = and_(_tokens.name == row["name"], _unrevoked, _tokens.expires_at <= now)
                connection.execute(
                    update(api_tokens).where(expired).values(revoked_at=_tokens.expires_at)
                )
                connection.execute(insert(api_tokens).values(row))
        except IntegrityError:
            raise TokenError(
                f"There is a token called {row['name']} already. Nothing was changed. "
                "Choose another name, or revoke that token first."
            ) from None
        return secret

    @answered_within(LOOK_UP_SECONDS)
    def find(self, secret: str) -> Token | None:
        """The token of this secret, or None if there is none, or it has expired or was revoked.

        It is looked up by its hash, so that the time taken reveals nothing about existing secrets.
        """
        now, secret_hash = self._clock(), _hash_of(secret)
        with raw_connection(self._engine) as driver:
            row = driver.execute(self._find, (secret_hash,)).fetchone()
        if row is None:
            return None
        values = [read(value) for read, value in zip(self._read, row, strict=True)]
        token = _token(values, self._roles)
        if not token.works_at(now):
            return None
        if token.last_used_at is None or now - token.last_used_at >= SEEN_EVERY:
            self._change(_tokens.secret_hash == secret_hash, last_used_at=now)
        return token

    def list(self, *, working: bool = False) -> list[Token]:
        """All tokens, ended ones included unless only the `working` are asked for, ordered by name;
        of one name the newest first."""
        now, found = self._clock(), _list.order_by(_tokens.name, _tokens.created_at.desc())
        with self._reader.connect() as connection:
            all_of_them = [_token(row, self._roles) for row in connection.execute(found)]
        return [each for each in all_of_them if not working or each.works_at(now)]

    def revoke(self, name: str, by: str) -> None:
        """Revoke a token with immediate effect. Raises TokenError if no active one has this
        name."""
        now = self._clock()
        living = or_(_tokens.expires_at.is_(None), _tokens.expires_at > now)
        this = and_(_tokens.name == account_of(name), living)
        if not self._change(this, revoked_at=now, revoked_by=by[:MAKER_LENGTH]):
            raise TokenError(f"There is no token called {name} that works. Nothing was changed.")

    def _permissions_for(self, role: str, permissions: Iterable[str]) -> frozenset[str]:
        """Those that a token with this role would have."""
        roles = KnownRoles(self._engine, self._roles).all()
        if role not in roles:
            raise TokenError(f"There is no role {role!r}: choose one of {', '.join(roles)}.")
        outside = [name for name in permissions if name not in roles[role]]
        if outside:
            raise TokenError(
                f"The role {role} does not have {', '.join(outside)}. A token may do at most what "
                "its role may: choose another role, or leave these out."
            )
        return narrowed(roles[role], frozenset(permissions))

    def _change(self, which: ColumnElement[bool], **values: Any) -> int:
        with self._engine.begin() as connection:
            changed = update(api_tokens).where(which, _unrevoked).values(values)
            return connection.execute(changed).rowcount


def _usable_networks(text: str) -> str:
    """The same networks, as they are stored. Raises TokenError."""
    try:
        return ", ".join(map(str, parsed_networks(text)))
    except ValueError as error:
        raise TokenError(
            f"The networks cannot be used: {error}. Write them with commas, such as 10.1.0.0/16, "
            "fd12::/16."
        ) from None


def _hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _unchanged(value: Any) -> Any:
    return value
