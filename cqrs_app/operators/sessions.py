"""Sessions, in the write store: one that is ended there is over, whatever a browser still holds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, bindparam, delete, insert, select, update

from cqrs_app.kernel.databases import reader_of
from cqrs_app.operators.operator import Operator
from cqrs_app.operators.tables import (
    ADDRESS_LENGTH,
    USER_AGENT_LENGTH,
    operators,
    sessions,
)

TOKEN_BYTES = 32
KEPT_AFTER_EXPIRY = timedelta(days=30)
SEEN_EVERY = timedelta(seconds=60)
"""How exactly `seen_at` is kept: not every page view needs a write."""

# Asked by every request, so it is put together once.
_LIVING = (
    select(operators, sessions.c.seen_at)
    .join_from(sessions, operators, operators.c.name == sessions.c.operator)
    .where(
        sessions.c.token_hash == bindparam("token_hash"),
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
        sessions.c.seen_at > bindparam("seen_after"),
        operators.c.disabled_at.is_(None),
    )
)


class Sessions:
    """A session ends after `idle_seconds` without activity, or `hours` after sign-in."""

    def __init__(
        self,
        engine: Engine,
        idle_seconds: int,
        hours: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
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
        now = self._clock()
        given = {"token_hash": _hash_of(token), "now": now, "seen_after": now - self._idle}
        with self._reader.connect() as connection:
            row = connection.execute(_LIVING, given).one_or_none()
        if row is None:
            return None
        if active and now - row.seen_at >= self._seen_every:
            self._change(sessions.c.token_hash == _hash_of(token), seen_at=now)
        return Operator.from_row(row)

    def revoke(self, token: str) -> None:
        """End one session; nothing happens when it has ended already."""
        self._change(sessions.c.token_hash == _hash_of(token), revoked_at=self._clock())

    def revoke_all(self, operator: str) -> None:
        """End every session of an operator."""
        self._change(sessions.c.operator == operator, revoked_at=self._clock())

    def _change(self, which: ColumnElement[bool], **values: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(sessions).where(which, sessions.c.revoked_at.is_(None)).values(values)
            )


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
