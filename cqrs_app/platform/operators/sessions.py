"""Sessions, in the write store: one that is ended there is over, whatever cookie a browser
holds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, insert, update

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.deadlines import LOOK_UP_SECONDS, answered_within
from cqrs_app.kernel.store.engines import placeholder_of, raw_connection
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.preferences import preferences_from
from cqrs_app.platform.operators.roles import Roles
from cqrs_app.platform.operators.tables import (
    ADDRESS_LENGTH,
    USER_AGENT_LENGTH,
    sessions,
)

TOKEN_BYTES = 32
KEPT_AFTER_EXPIRY = timedelta(days=30)
SEEN_EVERY = timedelta(seconds=60)
"""The precision of `seen_at`: not every request writes it."""

# Runs with every request, including polls, so it bypasses SQLAlchemy.
_ACTIVE = """
SELECT operators.name, operators.display_name, operators.role, operators.created_at,
    operators.timezone, operators.team, operators.preferences, operators.must_change_password,
    sessions.seen_at
FROM sessions JOIN operators ON operators.name = sessions.operator
WHERE sessions.token_hash = {placeholder} AND sessions.revoked_at IS NULL
    AND sessions.expires_at > {placeholder} AND sessions.seen_at > {placeholder}
    AND operators.disabled_at IS NULL
"""


class Sessions:
    """A session ends after `idle_seconds` without activity, or `hours` after sign-in."""

    def __init__(
        self,
        engine: Engine,
        roles: Roles,
        idle_seconds: int,
        hours: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._roles = roles
        self._active = _ACTIVE.format(placeholder=placeholder_of(engine))
        self._to_store = UtcDateTime().bind_processor(engine.dialect) or _unchanged
        self._from_store = UtcDateTime().result_processor(engine.dialect, None)
        self._idle = timedelta(seconds=idle_seconds)
        self._life = timedelta(hours=hours)
        self._seen_every = min(SEEN_EVERY, self._idle / 10)
        self._clock = clock

    def open(self, operator: str, address: str = "", user_agent: str = "") -> str:
        """Start a session and return its token, of which only a hash is stored."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        row = {
            "token_hash": _hash_of(token),
            "operator": operator,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + self._life,
            "address": address[:ADDRESS_LENGTH],
            "user_agent": user_agent.replace("\x00", "")[:USER_AGENT_LENGTH],
        }
        with self._engine.begin() as connection:
            connection.execute(
                delete(sessions).where(sessions.c.expires_at < now - KEPT_AFTER_EXPIRY)
            )
            connection.execute(insert(sessions).values(row))
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
        must_change, seen_at = rest
        if active and now - self._from_store(seen_at) >= self._seen_every:
            self._change(sessions.c.token_hash == token_hash, seen_at=now)
        return Operator(
            name=name,
            display_name=display_name,
            role=role,
            permissions=self._roles[role],
            disabled_at=None,
            created_at=self._from_store(created_at),
            timezone=timezone,
            team=team,
            preferences=preferences_from(preferences),
            must_change_password=bool(must_change),
        )

    def revoke(self, token: str) -> None:
        """End one session, if it has not ended yet."""
        self._change(sessions.c.token_hash == _hash_of(token), revoked_at=self._clock())

    def _change(self, which: ColumnElement[bool], **values: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(sessions).where(which, sessions.c.revoked_at.is_(None)).values(values)
            )


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _unchanged(value: datetime) -> datetime:
    return value
