"""The keys of a store: one for each purpose, wrapped with the master key of the settings.

Only these rows depend on the master key (PERSONAL_DATA_KEY). Replacing it wraps them again: see
rotation.py and docs/decisions/0025-keys.md.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Engine, Row, select

from cqrs_app.kernel.events.recorded import UnknownEvent
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.store.tables import data_keys, seals, streams, subject_keys

PERSONS = "persons"
"""Wraps the keys of persons. The only one with generations: the newest wraps new keys."""
CLAIMS = "claims"
"""Keys the hashes of claimed values, of guards and of sign-in links."""
SEALS = "seals"
"""Signs seals of the log."""
DIGESTS = "digests"
"""Keys the digests of read models."""
CREDENTIALS = "credentials"
"""Seals credentials that have to be read, such as the secrets of webhooks."""
PURPOSES = (PERSONS, CLAIMS, SEALS, DIGESTS, CREDENTIALS)

NONCE_BYTES = 12
KEY_BYTES = 32

CACHED_SECONDS = 3.0
"""How long another process may still use a key after it was replaced or destroyed."""

Masters = Callable[[], Sequence[str]]
"""The master key, and after it the previous one while it is being replaced. Called whenever keys
are read from the store."""

_ROW = data_keys.c


class WrongPersonalDataKey(UnknownEvent):
    """The keys in the store were wrapped with another PERSONAL_DATA_KEY. Projections stop, and skip
    nothing, until it is corrected."""

    def __init__(self) -> None:
        super().__init__(
            "The keys of personal data cannot be opened: PERSONAL_DATA_KEY, or the file "
            "personal_data_key in the data folder, is not the one they were made with. "
            "Nothing was changed. Put the former one back."
        )


class MasterKey:
    """Wraps keys. `id` identifies it and reveals nothing of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.id = _expanded(text, "key id", 8).hex()
        self._cipher = AESGCM(_expanded(text, "key wrapping", KEY_BYTES))

    def wrapped(self, secret: bytes, purpose: str) -> bytes:
        return wrapped(self._cipher, secret, purpose)

    def unwrapped(self, content: bytes, purpose: str) -> bytes:
        """The secret in `wrapped`. Raises WrongPersonalDataKey."""
        return unwrapped(self._cipher, content, purpose)


class DataKey(NamedTuple):
    generation: int
    secret: bytes


class DataKeys:
    """The keys of one store, read on first use. `label` is part of what earlier releases derived
    from the master key, and may not change during the life of a store."""

    def __init__(self, engine: Engine, masters: Masters, label: str) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._masters = masters
        self._label = label
        self._secrets: dict[tuple[str, int], bytes] = {}
        self._newest = 0
        self._read_at = float("-inf")

    def of(self, purpose: str) -> bytes:
        """The key for a purpose other than PERSONS, which never changes. Raises
        WrongPersonalDataKey."""
        return self._secret(purpose, 0)

    def of_persons(self, generation: int) -> bytes:
        """The key that wraps keys of persons of this generation. Raises WrongPersonalDataKey."""
        return self._secret(PERSONS, generation)

    def newest_of_persons(self) -> DataKey:
        """The key that wraps new keys of persons. Raises WrongPersonalDataKey."""
        if time.monotonic() - self._read_at > CACHED_SECONDS:
            self._read()
        return DataKey(self._newest, self._secrets[PERSONS, self._newest])

    def masters(self) -> list[MasterKey]:
        """The current one, and after it the previous one while it is being replaced."""
        return [MasterKey(text) for text in dict.fromkeys(self._masters())]

    def make(self, now: datetime) -> None:
        """Create random keys in a store that was not used yet. One that was used by an earlier
        release goes on with those derived from its master key."""
        with self._engine.begin() as connection:
            made = connection.execute(select(_ROW.purpose)).first()
            if made or any(map(_has_rows(connection), (streams, subject_keys, seals))):
                return
            master, *_ = self.masters()
            for purpose in PURPOSES:
                secret = secrets.token_bytes(KEY_BYTES)
                insert(connection, master, purpose, DataKey(0, secret), now)
        self._read()

    def list(self) -> Sequence[Row[Any]]:
        """The rows of `data_keys`, by purpose and generation."""
        ordered = select(data_keys).order_by(_ROW.purpose, _ROW.generation)
        with self._reader.connect() as connection:
            return connection.execute(ordered).all()

    def stored(self, connection: Connection) -> dict[tuple[str, int], bytes]:
        """(purpose, generation) -> key, of all that are stored or derived. Raises
        WrongPersonalDataKey."""
        masters = {each.id: each for each in self.masters()}
        found = {}
        for row in connection.execute(select(data_keys)):
            if row.wrapped_by not in masters:
                raise WrongPersonalDataKey
            secret = masters[row.wrapped_by].unwrapped(bytes(row.wrapped), about(*row[:2]))
            found[row.purpose, row.generation] = secret
        # A store without rows is one of an earlier release, never rotated: its keys are derived
        # from the master key that it has had so far, which is the last one.
        *_, first = masters.values()
        for purpose in PURPOSES:
            found.setdefault((purpose, 0), self._derived(first.text, purpose))
        return found

    def _secret(self, purpose: str, generation: int) -> bytes:
        if (purpose, generation) not in self._secrets:
            self._read()
        try:
            return self._secrets[purpose, generation]
        except KeyError:
            raise WrongPersonalDataKey from None

    def _read(self) -> None:
        with self._reader.connect() as connection:
            found = self.stored(connection)
        self._newest = max(generation for purpose, generation in found if purpose == PERSONS)
        self._secrets, self._read_at = found, time.monotonic()

    def _derived(self, master: str, purpose: str) -> bytes:
        names = {
            PERSONS: f"{self._label} subject keys",
            CLAIMS: f"{self._label} claims",
            CREDENTIALS: f"{self._label} credentials",
        }
        return hmac.digest(master.encode(), names.get(purpose, purpose).encode(), "sha256")


def insert(
    connection: Connection, master: MasterKey, purpose: str, key: DataKey, now: datetime
) -> None:
    """Store a key, unless there is one of this purpose and generation."""
    row = insert_into(connection, data_keys).values(
        purpose=purpose,
        generation=key.generation,
        wrapped=master.wrapped(key.secret, about(purpose, key.generation)),
        wrapped_by=master.id,
        created_at=now,
    )
    connection.execute(row.on_conflict_do_nothing())


def about(purpose: str, generation: int) -> str:
    """What a wrapped key of the store is for."""
    return f"{purpose} {generation}"


def wrapped(cipher: AESGCM, secret: bytes, purpose: str) -> bytes:
    """A secret under a key, of use for the same purpose only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, secret, purpose.encode())


def unwrapped(cipher: AESGCM, content: bytes, purpose: str) -> bytes:
    """The secret in `wrapped`. Raises WrongPersonalDataKey."""
    try:
        return cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], purpose.encode())
    except InvalidTag:
        raise WrongPersonalDataKey from None


def _has_rows(connection: Connection) -> Callable[[Any], bool]:
    return lambda table: (
        connection.execute(select(1).select_from(table).limit(1)).first() is not None
    )


def _expanded(master: str, purpose: str, length: int) -> bytes:
    derivation = HKDF(SHA256(), length, salt=None, info=f"countersign {purpose}".encode())
    return derivation.derive(master.encode())
