"""Seals personal values before they are stored, and opens them for readers.

Every value is sealed with the key of the person it is about. Erasing the person means destroying
that key: stored events do not change, but their personal values can no longer be read.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Collection, Iterable
from re import Match

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.errors import VersionConflict
from cqrs_app.kernel.privacy.data_keys import (
    CLAIMS,
    CREDENTIALS,
    NONCE_BYTES,
    DataKeys,
    Masters,
    unwrapped,
    wrapped,
)
from cqrs_app.kernel.privacy.keys import SubjectKey, SubjectKeys, new_key_id
from cqrs_app.kernel.privacy.personal import ERASED, TOKEN, key_ids
from cqrs_app.kernel.privacy.sealing import Sealing, person_erased, sealed
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import subject_keys

Step = Callable[[Connection], None]
"""Runs in the transaction of a command's events."""

CREDENTIAL = "~credential.1."
"""Begins a sealed credential."""

_COLUMNS = subject_keys.c


class Vault:
    """`masters` and `label`: see data_keys.py."""

    def __init__(
        self,
        engine: Engine,
        masters: Masters,
        label: str,
        clock: Clock = utc_now,
    ) -> None:
        self._clock = clock
        self.data_keys = DataKeys(engine, masters, label)
        self._keys = SubjectKeys(engine, self.data_keys, clock)

    def open(self, text: str, stream: str) -> str:
        """Open the sealed values in a stored JSON text. They read ERASED where the key is
        destroyed.

        A token that was not made for this stream is left unchanged.
        """
        ids = key_ids((text,))
        if not ids:
            return text
        keys = self._keys.by_id(ids)
        return TOKEN.sub(lambda found: _opened(found, keys.get(found[1]), stream), text)

    def seal(self, text: str, stream: str) -> str:
        """Seal a text outside of any message, with the stream's key. `open` opens it. Raises
        Refused if the key was destroyed."""
        key = self._keys.make([stream])[stream]
        if key.secret is None:
            raise person_erased()
        return sealed(text, key.key_id, key.secret, stream)

    def seal_credential(self, text: str, about: str) -> str:
        """Seal a credential that belongs to no person. `open_credential` opens it, with the same
        `about`."""
        content = wrapped(AESGCM(self.data_keys.of(CREDENTIALS)), text.encode(), about)
        return CREDENTIAL + base64.urlsafe_b64encode(content).decode()

    def open_credential(self, sealed_text: str, about: str) -> str:
        """The credential in a text from `seal_credential`. One that an earlier release stored
        unsealed is returned unchanged. Raises WrongPersonalDataKey."""
        if not sealed_text.startswith(CREDENTIAL):
            return sealed_text
        content = base64.urlsafe_b64decode(sealed_text.removeprefix(CREDENTIAL))
        return unwrapped(AESGCM(self.data_keys.of(CREDENTIALS)), content, about).decode()

    def prepare(self, texts: Iterable[str]) -> None:
        """Load the keys that these texts need, with few look-ups."""
        ids = key_ids(texts)
        if ids:
            self._keys.by_id(ids)

    def ensure_keys(self, subjects: Collection[str]) -> None:
        """Create the missing keys of these subjects, in one transaction."""
        if subjects:
            self._keys.make(subjects)

    def sealing(self, stream: str, person: str, *, dry: bool) -> Sealing:
        return Sealing(self._keys, stream, person, dry=dry)

    def check(self) -> None:
        """Raise WrongPersonalDataKey if the stored keys were wrapped with another key."""
        self._keys.check()

    def fingerprint(self, kind: str, value: str) -> bytes:
        """A keyed hash, which reveals nothing about the value without the key."""
        return hmac.digest(self.data_keys.of(CLAIMS), f"{kind}:{value}".encode(), "sha256")

    def forget(self) -> None:
        """Clear the cached keys."""
        self._keys.forget()

    def guard(self, sealing: Sealing, version: int) -> Step:
        """A step that lets events in only while the keys they were sealed with exist.

        So everything sealed with a key precedes the event that destroys it in the log. Raises
        VersionConflict, upon which the command is decided again.
        """

        def step(connection: Connection) -> None:
            whole = (_COLUMNS.key_id.in_(sealing.used), _COLUMNS.wrapped.is_not(None))
            found = select(_COLUMNS.key_id).where(*whole).with_for_update(read=True)
            if len(connection.execute(found).all()) < len(sealing.used):
                self.forget()
                raise VersionConflict(sealing.stream, version, None)

        return step

    def owned_by(self, owner: str) -> list[str]:
        """The subjects, not erased yet, that are erased with their owner."""
        return self._keys.owned_by(owner)

    def ownership(self, subject: str, owner: str, *, dry: bool) -> Step:
        """A step after which erasing `owner` also erases `subject`, and what that owns.
        It raises Refused if the owner was erased. If `dry`, no keys are created."""
        if not dry:
            self._keys.make([subject, owner])

        def step(connection: Connection) -> None:
            found = select(_COLUMNS.wrapped).where(_COLUMNS.subject == owner)
            row = connection.execute(found.with_for_update(read=True)).first()
            if row is not None and row.wrapped is None:
                self.forget()
                raise person_erased()
            of_subject = _COLUMNS.subject == subject
            connection.execute(update(subject_keys).where(of_subject).values(owner=owner))

        return step

    def destruction(self, subject: str, stream: str, version: int) -> Step:
        """A step that destroys a subject's key and prevents that it ever gets another.

        It raises VersionConflict if the subject owns one that is not erased: it came since the
        command was decided, which is then decided again.
        """

        def step(connection: Connection) -> None:
            gone = {"wrapped": None, "erased_at": self._clock()}
            row = insert_into(connection, subject_keys).values(
                key_id=new_key_id(), subject=subject, created_at=self._clock(), **gone
            )
            connection.execute(row.on_conflict_do_update(index_elements=["subject"], set_=gone))
            owned = (_COLUMNS.owner == subject, _COLUMNS.wrapped.is_not(None))
            if connection.execute(select(_COLUMNS.key_id).where(*owned).limit(1)).first():
                raise VersionConflict(stream, version, None)
            self.forget()

        return step


def _opened(found: Match[str], key: SubjectKey | None, stream: str) -> str:
    if key is None:
        return found[0]
    if key.secret is None:
        return ERASED
    content = found[2]
    stored = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    try:
        plain = AESGCM(key.secret).decrypt(
            stored[:NONCE_BYTES], stored[NONCE_BYTES:], stream.encode()
        )
    except (InvalidTag, ValueError):
        # Somebody typed it as text, or changed it. It is shown unchanged, and `flask events verify`
        # reports a change.
        return found[0]
    # The token is inside a JSON string.
    return msgspec.json.encode(plain.decode()).decode()[1:-1]
