"""Replaces the master key: wraps the keys of the store with the new one, and the keys of persons
with a new key of the store.

Sealed values, claims, seals and digests stay as they are. Killed at any point, it goes on where it
was when it is run again; other processes work on meanwhile with both master keys.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Engine, bindparam, func, select, update

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.privacy.data_keys import (
    CACHED_SECONDS,
    KEY_BYTES,
    PERSONS,
    DataKey,
    DataKeys,
    about,
    insert,
    unwrapped,
    wrapped,
)
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import data_keys, subject_keys

BATCH = 1_000
"""Keys of persons per transaction, during which nobody can erase one of them."""

_ROW, _KEY = data_keys.c, subject_keys.c


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many keys were wrapped again."""

    of_store: int
    of_persons: int


class Rotation:
    def __init__(
        self,
        engine: Engine,
        keys: DataKeys,
        clock: Clock,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._clock = clock
        self._wait = wait

    def waiting(self) -> int:
        """How many keys of persons are still wrapped with an earlier key of the store."""
        newest = select(func.max(_ROW.generation)).where(_ROW.purpose == PERSONS)
        with reader_of(self._engine).connect() as connection:
            generation = connection.execute(newest).scalar() or 0
            old = select(func.count()).where(*_older_than(generation))
            return connection.execute(old).scalar_one()

    def is_due(self) -> bool:
        """Whether some key of the store is not wrapped with the current master key."""
        current, *previous = self._keys.masters()
        with reader_of(self._engine).connect() as connection:
            by = set(connection.execute(select(_ROW.wrapped_by)).scalars())
        return by != {current.id} if by else bool(previous)

    def run(self, progress: Callable[[int], None] = lambda done: None) -> Rotated:
        """Do all that remains to be done; `progress` is told how many keys of persons are done.
        Raises WrongPersonalDataKey if neither master key opens the keys."""
        of_store = self._wrap_store_keys() if self.is_due() else 0
        if of_store:
            # Other processes wrap new keys with the former key of the store a little longer.
            self._wait(2 * CACHED_SECONDS)
        done, after = 0, ""
        while self.waiting():
            wrapped_now, after = self._wrap_some(after)
            done += wrapped_now
            progress(done)
        return Rotated(of_store, done)

    def _wrap_store_keys(self) -> int:
        """In one transaction, so that a store is under one master key or the other."""
        with self._engine.begin() as connection:
            connection.execute(select(_ROW.purpose).with_for_update()).all()
            found, now = self._keys.stored(connection), self._clock()
            master, *_ = self._keys.masters()
            current = select(_ROW.purpose).where(_ROW.wrapped_by == master.id)
            if connection.execute(current.limit(1)).first():
                return 0  # somebody else has done it
            newest = max(number for purpose, number in found if purpose == PERSONS)
            for (purpose, generation), secret in found.items():
                row = (_ROW.purpose == purpose, _ROW.generation == generation)
                changed = {
                    "wrapped": master.wrapped(secret, about(purpose, generation)),
                    "wrapped_by": master.id,
                }
                connection.execute(update(data_keys).where(*row).values(changed))
                insert(connection, master, purpose, DataKey(generation, secret), now)
            new = DataKey(newest + 1, secrets.token_bytes(KEY_BYTES))
            insert(connection, master, PERSONS, new, now)
        return len(found)

    def _wrap_some(self, after: str) -> tuple[int, str]:
        """Wrap the next keys of persons, by id, with the newest key of the store. Returns how many,
        and the last id, which is empty at the end."""
        newest = self._keys.newest_of_persons()
        cipher = AESGCM(newest.secret)
        found = (
            select(_KEY.key_id, _KEY.wrapped, _KEY.generation)
            .where(*_older_than(newest.generation), _KEY.key_id > after)
            .order_by(_KEY.key_id)
            .limit(BATCH)
        )
        with self._engine.begin() as connection:
            rows = connection.execute(found.with_for_update()).all()
            changed = []
            for row in rows:
                former = AESGCM(self._keys.of_persons(row.generation))
                secret = unwrapped(former, bytes(row.wrapped), row.key_id)
                changed.append({"id": row.key_id, "new": wrapped(cipher, secret, row.key_id)})
            if changed:
                mine = update(subject_keys).where(_KEY.key_id == bindparam("id"))
                values = {"wrapped": bindparam("new"), "generation": newest.generation}
                connection.execute(mine.values(values), changed)
        return len(rows), rows[-1].key_id if rows else ""


def _older_than(generation: int) -> tuple[ColumnElement[bool], ...]:
    return (_KEY.generation < generation, _KEY.wrapped.is_not(None))
