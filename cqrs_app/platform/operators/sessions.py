"""Sessions, in the write store: one that is ended there is over, whatever cookie a browser
holds."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, and_, delete, insert, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.deadlines import LOOK_UP_SECONDS, answered_within
from cqrs_app.kernel.store.engines import placeholder_of, raw_connection, reader_of
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.preferences import preferences_from
from cqrs_app.platform.operators.roles import Roles, permissions_of
from cqrs_app.platform.operators.tables import (
    ADDRESS_LENGTH,
    HAS_SECOND_FACTOR,
    USER_AGENT_LENGTH,
    operators,
    sessions,
)

TOKEN_BYTES = 32
KEY_LENGTH = 16
SECOND_STEP_LIVES = timedelta(minutes=10)
SEEN_EVERY = timedelta(seconds=60)
"""The precision of `seen_at`: not every request writes it."""

# Runs with every request, including polls, so it bypasses SQLAlchemy.
_ACTIVE = f"""
SELECT operators.name, operators.display_name, operators.role, operators.created_at,
    operators.timezone, operators.team, operators.preferences, operators.must_change_password,
    {HAS_SECOND_FACTOR}, operator_roles.permissions, operator_roles.based_on, sessions.seen_at
FROM sessions JOIN operators ON operators.name = sessions.operator
    LEFT JOIN operator_roles ON operator_roles.name = operators.role
WHERE sessions.token_hash = {{placeholder}} AND sessions.revoked_at IS NULL
    AND sessions.expires_at > {{placeholder}} AND sessions.seen_at > {{placeholder}}
    AND operators.disabled_at IS NULL AND NOT sessions.second_factor_due
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Session:
    """A session for its operator to recognise and end. `key` names it, and opens nothing."""

    key: str
    created_at: datetime
    seen_at: datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class SignOn:
    """What a session keeps of an OpenID provider: who that is there (`Identity.key`), a hash of the
    provider's session, and whether it checked a second factor. All empty without one."""

    identity: str = ""
    session: str = ""
    second_factor: bool = False


class Sessions:
    """A session ends after `idle_seconds` without activity, or `hours` after sign-in."""

    def __init__(
        self,
        engine: Engine,
        roles: Roles,
        idle_seconds: int,
        hours: int,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._roles = roles
        self._active = _ACTIVE.format(placeholder=placeholder_of(engine))
        self._to_store = UtcDateTime().bind_processor(engine.dialect) or _unchanged
        self._from_store = UtcDateTime().result_processor(engine.dialect, None)
        self._idle = timedelta(seconds=idle_seconds)
        self._life = timedelta(hours=hours)
        self._seen_every = min(SEEN_EVERY, self._idle / 10)
        self._clock = clock

    def open(
        self,
        operator: str,
        address: str = "",
        user_agent: str = "",
        *,
        second_factor_due: bool = False,
        verified_at: datetime | None = None,
        sign_on: SignOn = SignOn(),
    ) -> str:
        """Start a session and return its token, of which only a hash is stored.

        `second_factor_due`: it lasts ten minutes, and `waiting` finds it, not `find`.
        `verified_at`: when the operator proved who they are, if not now.
        """
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        row = {
            "token_hash": _hash_of(token),
            "operator": operator,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + (SECOND_STEP_LIVES if second_factor_due else self._life),
            "second_factor_due": second_factor_due,
            "verified_at": None if second_factor_due else verified_at or now,
            "address": address[:ADDRESS_LENGTH],
            "user_agent": user_agent.replace("\x00", "")[:USER_AGENT_LENGTH],
            "identity": sign_on.identity,
            "provider_session": sign_on.session,
            "provider_factor": sign_on.second_factor,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(sessions).values(row))
            if not second_factor_due:
                mine = operators.c.name == operator
                connection.execute(update(operators).where(mine).values(last_sign_in_at=now))
        return token

    @answered_within(LOOK_UP_SECONDS)
    def find(self, token: str, *, active: bool = True) -> Operator | None:
        """The operator of an active session, or None if it has ended or the account is disabled.

        `active`: the request was made by a person and restarts the idle time. The refresh of a page
        does not.
        """
        now, token_hash = self._clock(), _hash_of(token)
        given = (token_hash, self._to_store(now), self._to_store(now - self._idle))
        with raw_connection(self._engine) as driver:
            row = driver.execute(self._active, given).fetchone()
        if row is None:
            return None
        name, display_name, role, created_at, timezone, team, preferences, *rest = row
        must_change, has_second, stored, based_on, seen_at = rest
        if active and now - self._from_store(seen_at) >= self._seen_every:
            self._change(sessions.c.token_hash == token_hash, seen_at=now)
        return Operator(
            name=name,
            display_name=display_name,
            role=role,
            counts_as=based_on or role,
            permissions=permissions_of(self._roles, role, stored),
            disabled_at=None,
            created_at=self._from_store(created_at),
            timezone=timezone,
            team=team,
            preferences=preferences_from(preferences),
            must_change_password=bool(must_change),
            has_second_factor=bool(has_second),
        )

    def waiting(self, token: str) -> str | None:
        """The operator whose password was right and who owes the second factor, or None."""
        found = (
            select(sessions.c.operator)
            .join(operators, operators.c.name == sessions.c.operator)
            .where(
                sessions.c.token_hash == _hash_of(token),
                sessions.c.second_factor_due,
                sessions.c.revoked_at.is_(None),
                sessions.c.expires_at > self._clock(),
                operators.c.disabled_at.is_(None),
            )
        )
        with self._reader.connect() as connection:
            return connection.execute(found).scalar()

    def verified_at(self, token: str) -> datetime | None:
        """When the operator of this session last proved who they are."""
        found = select(sessions.c.verified_at).where(sessions.c.token_hash == _hash_of(token))
        with self._reader.connect() as connection:
            return connection.execute(found).scalar()

    def sign_on_of(self, token: str) -> SignOn:
        """What this session keeps of an OpenID provider."""
        columns = (sessions.c.identity, sessions.c.provider_session, sessions.c.provider_factor)
        found = select(*columns).where(sessions.c.token_hash == _hash_of(token))
        with self._reader.connect() as connection:
            row = connection.execute(found).first()
        return SignOn(*row) if row else SignOn()

    def end_signed_on(self, sign_on: SignOn) -> int:
        """End the sessions that a provider opened: that of its session, or without one all of this
        person. Returns how many."""
        session, identity = sign_on.session, sign_on.identity
        if session:
            return self._change(sessions.c.provider_session == session)
        return self._change(sessions.c.identity == identity) if identity else 0

    def verified(self, token: str, at: datetime | None = None) -> None:
        """The operator of this session proved again who they are, just now or at that time."""
        self._change(sessions.c.token_hash == _hash_of(token), verified_at=at or self._clock())

    def list(self, operator: str) -> list[Session]:
        """The sessions of an operator that have not ended, the last used first."""
        columns = (each.name for each in fields(Session) if each.name != "key")
        found = select(sessions.c.token_hash, *(sessions.c[name] for name in columns))
        active = found.where(*self._active_of(operator)).order_by(sessions.c.seen_at.desc())
        with self._reader.connect() as connection:
            rows = connection.execute(active).all()
        return [Session(token_hash[:KEY_LENGTH], *rest) for token_hash, *rest in rows]

    def key_of(self, token: str) -> str:
        """The key under which `list` has the session of this token."""
        return _hash_of(token)[:KEY_LENGTH]

    def end(self, operator: str, key: str) -> bool:
        """End a session of this operator. Returns whether there was one."""
        this = sessions.c.token_hash.startswith(key)
        is_key = len(key) == KEY_LENGTH and key.isalnum()
        return is_key and bool(self._change(and_(this, *self._active_of(operator))))

    def end_all(self, operator: str, *, but: str = "") -> int:
        """End all sessions of this operator, except that of the token `but`. Returns how many."""
        others = sessions.c.token_hash != _hash_of(but)
        return self._change(and_(others, *self._active_of(operator)))

    def revoke(self, token: str) -> None:
        """End one session, if it has not ended yet."""
        self._change(sessions.c.token_hash == _hash_of(token))

    def _active_of(self, operator: str) -> tuple[ColumnElement[bool], ...]:
        now = self._clock()
        return (
            sessions.c.operator == operator,
            sessions.c.revoked_at.is_(None),
            ~sessions.c.second_factor_due,
            sessions.c.expires_at > now,
            sessions.c.seen_at > now - self._idle,
        )

    def _change(self, which: ColumnElement[bool], **values: datetime) -> int:
        """Change sessions that are not revoked; without values, revoke them."""
        changed = update(sessions).where(which, sessions.c.revoked_at.is_(None))
        with self._engine.begin() as connection:
            new = values or {"revoked_at": self._clock()}
            return connection.execute(changed.values(new)).rowcount


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _unchanged(value: datetime) -> datetime:
    return value


def forget_before(engine: Engine, moment: datetime) -> int:
    """Delete sessions that ended by themselves before; returns how many."""
    with engine.begin() as connection:
        return connection.execute(delete(sessions).where(sessions.c.expires_at < moment)).rowcount
