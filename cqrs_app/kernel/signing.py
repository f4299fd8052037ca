"""Message signatures as defined by the Standard Webhooks specification (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
SECRET_BYTES = 32
WINDOW_SECONDS = 300
"""How far a message's timestamp may be from our clock. An older message may be a replay."""
MAX_SIGNATURES = 10


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def headers(
    signing_secrets: Iterable[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of one message; `timestamp` in whole seconds since 1970. During a change of
    secrets there are two signatures, either of which the receiver accepts."""
    signed = (signature(secret, message_id, timestamp, body) for secret in signing_secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signed),
    }


class NotGenuine(Exception):
    """The sender of a message could not be verified. The text is a sentence."""


def require_genuine(
    secret: str, sent: Mapping[str, str], body: bytes, now: float
) -> tuple[str, int]:
    """Return the id and the timestamp (seconds since 1970) of a message with these headers, whose
    names are in lowercase.

    Raises NotGenuine unless the message is signed with `secret` and its timestamp is within
    WINDOW_SECONDS of `now`.
    """
    message_id, time_text = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    signatures = sent.get("webhook-signature", "")
    if not (message_id and time_text and signatures):
        raise NotGenuine("A webhook-id, a webhook-timestamp and a webhook-signature are needed.")
    if not re.fullmatch(r"[0-9]{1,12}", time_text) or not re.fullmatch(r"[!-~]{1,200}", message_id):
        raise NotGenuine("The webhook-id or the webhook-timestamp cannot be read.")
    # Compare in constant time: the time taken must not reveal the right signature.
    wanted = signature(secret, message_id, int(time_text), body).encode()
    given = signatures.encode("utf-8", "replace").split(b" ")[:MAX_SIGNATURES]
    if not any(hmac.compare_digest(wanted, each) for each in given):
        raise NotGenuine("The webhook-signature is not that of this message.")
    if abs(now - int(time_text)) > WINDOW_SECONDS:
        raise NotGenuine("The webhook-timestamp is more than five minutes from now.")
    return message_id, int(time_text)
