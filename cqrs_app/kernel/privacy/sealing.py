"""Seals the messages of one change to one stream."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.privacy.data_keys import NONCE_BYTES
from cqrs_app.kernel.privacy.keys import SubjectKeys
from cqrs_app.kernel.privacy.personal import ERASED, token, written


class Sealing:
    """`person` owns the stream; empty if nobody else does. `used` collects the ids of the keys
    used. Keys are looked up, and created if missing, when the first personal text is sealed.

    `dry`: nothing will be stored, so no keys are created and nothing is sealed, but persons already
    erased are still detected.
    """

    def __init__(self, keys: SubjectKeys, stream: str, person: str, *, dry: bool) -> None:
        self.stream = stream
        self.used: set[str] = set()
        self._keys = keys
        self._dry = dry
        self._subject = person or stream

    def event_text(self, message: Any) -> str:
        """An event as JSON. Raises Refused if the person was erased: no new personal data of theirs
        may be stored."""
        return written(message, self._seal(message, _refuse))

    def command_text(self, message: Any) -> str:
        """A command as JSON for the log, with ERASED in place of an erased person's values."""
        return written(message, self._seal(message, lambda: ERASED))

    def _seal(self, message: Any, when_erased: Callable[[], str]) -> Callable[[str], str]:
        subject = message.concerns or self._subject

        def seal(text: str) -> str:
            held = self._keys.of([subject]) if self._dry else self._keys.make([subject])
            key = held.get(subject)
            if key is None or (self._dry and key.secret is not None):
                return text
            if key.secret is None:
                return when_erased()
            self.used.add(key.key_id)
            return sealed(text, key.key_id, key.secret, self.stream)

        return seal


def sealed(text: str, key_id: str, secret: bytes, stream: str) -> str:
    """The token of a text that only readers of this stream can open."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    content = nonce + AESGCM(secret).encrypt(nonce, text.encode(), stream.encode())
    return token(key_id, base64.urlsafe_b64encode(content).decode().rstrip("="))


def person_erased() -> Refused:
    return Refused(
        "person_erased",
        "The personal data of this customer was erased for good, so none can be added. "
        "Nothing was changed. Use a new customer number.",
    )


def _refuse() -> str:
    raise person_erased()
