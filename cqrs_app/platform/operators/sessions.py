"""Sessions, in the write store: one that is ended there is over, whatever a browser still holds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, insert, update

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.engines import raw_connection
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.roles import Roles
from cqrs_app.platform.operators.tables import (
    ADDRESS_LENGTH,
    USER_AGENT_LENGTH,
    sessions,
)

TOKEN_BYTES = 32
KEPT_AFTER_EXPIRY = timedelta(days=30)
SEEN_EVERY = timedelta(seconds=60)
"""How exactly `seen_at` is kept: not every page view needs a write."""

# Asked by every request, polls included, so the driver gets it as it is.
_LIVING = """
SELECT operators.name, operators.display_name, operators.role, operators.created_at,
    operators.timezone, sessions.seen_at
FROM sessions JOIN operators ON operators.name = sessions.operator
WHERE sessions.token_hash = {mark} AND sessions.revoked_at IS NULL
    AND sessions.expires_at > {mark} AND sessions.seen_at > {mark}
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
        mark = "?" if engine.dialect.paramstyle == "qmark" else "%s"
        self._living = _LIVING.format(mark=mark)
        self._told = UtcDateTime().bind_processor(engine.dialect) or _as_it_is
        self._read = UtcDateTime().result_processor(engine.dialect, None)
        self._idle = timedelta(seconds=idle_seconds)
        self._life = timedelta(hours=hours)
        self._seen_every = min(SEEN_EVERY, self._idle / 10)
        self._clock = clock

    def open(self, operator: str, address: str = "", user_agent: str = "") -> str:
        """Begin a session and return its token, which is stored nowhere."""
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

    def find(self, token: str, *, active: bool = True) -> Operator | None:
        """The operator of a living session, or None when it ended or the account is disabled.

        `active`: a person asked, so the idle time starts anew; a page that refreshes itself
        is not activity.
        """
        now, token_hash = self._clock(), _hash_of(token)
        given = (token_hash, self._told(now), self._told(now - self._idle))
        with raw_connection(self._engine) as driver:
            row = driver.execute(self._living, given).fetchone()
        if row is None:
            return None
        name, display_name, role, created_at, timezone, seen_at = row
        if active and now - self._read(seen_at) >= self._seen_every:
            self._change(sessions.c.token_hash == token_hash, seen_at=now)
        return Operator(
            name=name,
            display_name=display_name,
            role=role,
            permissions=self._roles[role],
            disabled_at=None,
            created_at=self._read(created_at),
            timezone=timezone,
        )

    def revoke(self, token: str) -> None:
        """End one session; nothing happens when it has ended already."""
        self._change(sessions.c.token_hash == _hash_of(token), revoked_at=self._clock())

    def _change(self, which: ColumnElement[bool], **values: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(sessions).where(which, sessions.c.revoked_at.is_(None)).values(values)
            )


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _as_it_is(value: datetime) -> datetime:
    return value
