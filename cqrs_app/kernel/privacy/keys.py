"""Keys of persons: one per subject, wrapped in the write store, cached for seconds."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, Row, select

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.privacy.data_keys import (
    CACHED_SECONDS,
    KEY_BYTES,
    DataKeys,
    unwrapped,
    wrapped,
)
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.store.tables import subject_keys

MAX_CACHED = 20_000
ROWS_PER_QUERY = 400
"""Rows per query, below SQLite's limit on bound values."""

_COLUMNS = subject_keys.c


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """`secret` is None once the key is destroyed."""

    key_id: str
    subject: str
    secret: bytes | None


class SubjectKeys:
    """Keys by subject and by id, wrapped with a key of the store: see data_keys.py."""

    def __init__(self, engine: Engine, keys: DataKeys, clock: Clock) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._keys = keys
        self._clock = clock
        self._cached: dict[str, tuple[float, SubjectKey]] = {}

    def by_id(self, key_ids: Iterable[str]) -> dict[str, SubjectKey]:
        """Id -> key, for the keys that exist."""
        return self._found(_COLUMNS.key_id, key_ids)

    def of(self, subjects: Iterable[str]) -> dict[str, SubjectKey]:
        """Subject -> key, for subjects that have or had one."""
        return self._found(_COLUMNS.subject, subjects)

    def make(self, subjects: Collection[str]) -> dict[str, SubjectKey]:
        """Subject -> key. Missing keys are created in a separate transaction: an unused key does no
        harm. A destroyed key is not created again."""
        held = self.of(subjects)
        missing = [subject for subject in subjects if subject not in held]
        if missing:
            self._insert([self._new(subject) for subject in missing])
            held |= self.of(missing)
        return held

    def owned_by(self, owner: str) -> list[str]:
        """The subjects of this owner that have a key, and those that they own, in turn."""
        found: dict[str, None] = {}
        with self._engine.connect() as connection:
            owners = [owner]
            while owners:
                owned = (_COLUMNS.owner == owners.pop(), _COLUMNS.wrapped.is_not(None))
                theirs = select(_COLUMNS.subject).where(*owned).order_by(_COLUMNS.subject)
                subjects = connection.execute(theirs).scalars().all()
                owners += [each for each in subjects if each not in found]
                found |= dict.fromkeys(subjects)
        return list(found)

    def check(self) -> None:
        """Raise WrongPersonalDataKey if the stored keys cannot be opened."""
        self._keys.newest_of_persons()
        whole = select(subject_keys).where(_COLUMNS.wrapped.is_not(None))
        with self._reader.connect() as connection:
            row = connection.execute(whole.order_by(_COLUMNS.created_at).limit(1)).first()
        if row is not None:
            self._unwrapped(row)

    def forget(self) -> None:
        """Clear the cache."""
        self._cached.clear()

    def _found(self, column: Any, names: Iterable[str]) -> dict[str, SubjectKey]:
        now, wanted = time.monotonic(), set(names)
        found = {}
        for name in wanted:
            until, key = self._cached.get(name, (0.0, None))
            if key is not None and until > now:
                found[name] = key
        missing = list(wanted - found.keys())
        if not missing:
            return found
        with self._reader.connect() as connection:
            for start in range(0, len(missing), ROWS_PER_QUERY):
                some = missing[start : start + ROWS_PER_QUERY]
                rows = connection.execute(select(subject_keys).where(column.in_(some)))
                for row in rows:
                    found[row._mapping[column]] = self._keep(row, now + CACHED_SECONDS)
        return found

    def _keep(self, row: Row[Any], until: float) -> SubjectKey:
        secret = self._unwrapped(row) if row.wrapped is not None else None
        key = SubjectKey(row.key_id, row.subject, secret)
        if len(self._cached) > MAX_CACHED:
            self._cached.clear()
        self._cached[key.key_id] = self._cached[key.subject] = (until, key)
        return key

    def _new(self, subject: str) -> dict[str, Any]:
        key_id, secret = new_key_id(), secrets.token_bytes(KEY_BYTES)
        wrapping = self._keys.newest_of_persons()
        return {
            "key_id": key_id,
            "subject": subject,
            "wrapped": wrapped(AESGCM(wrapping.secret), secret, key_id),
            "generation": wrapping.generation,
            "created_at": self._clock(),
        }

    def _insert(self, rows: Sequence[dict[str, Any]]) -> None:
        with self._engine.begin() as connection:
            row = insert_into(connection, subject_keys)
            # The first writer wins. `make` reads the keys back, so that nothing is sealed with a
            # key that is not stored.
            connection.execute(row.on_conflict_do_nothing(index_elements=["subject"]), rows)

    def _unwrapped(self, row: Row[Any]) -> bytes:
        wrapping = AESGCM(self._keys.of_persons(row.generation))
        return unwrapped(wrapping, bytes(row.wrapped), row.key_id)


def new_key_id() -> str:
    return secrets.token_urlsafe(16)
