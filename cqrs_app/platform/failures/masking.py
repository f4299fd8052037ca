"""What a failure keeps of the message that was processed: never a personal value or a secret."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cqrs_app.kernel.privacy.personal import ERASED, TOKEN, written

LONGEST_SAMPLE = 8_000
MASK = "[hidden]"

_SECRET = re.compile(r"secret|password|passwd|token|credential|signature|api_?key", re.IGNORECASE)


def masked(message: Any) -> dict[str, Any]:
    """The fields of a command or an event. Personal texts read as those of an erased person."""
    text = written(message, lambda text: ERASED)
    fields: dict[str, Any] = _without_secrets(msgspec.json.decode(text))
    return fields


def masked_payload(payload: str) -> Any:
    """The same for a stored payload, or the beginning of one that is damaged."""
    text = TOKEN.sub(ERASED, payload)
    try:
        return _without_secrets(msgspec.json.decode(text))
    except msgspec.DecodeError:
        return f"damaged, {len(payload)} characters"


def sample_text(sample: dict[str, Any]) -> str:
    """The sample as JSON of limited length."""
    text = msgspec.json.encode(sample).decode()
    if len(text) <= LONGEST_SAMPLE:
        return text
    kept = {name: value for name, value in sample.items() if name != "fields"}
    return msgspec.json.encode(kept | {"fields": "too long to keep"}).decode()


def _without_secrets(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {each: _without_secrets(inner, str(each)) for each, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(each, name) for each in value]
    if isinstance(value, str) and value:
        if _SECRET.search(name):
            return MASK
        if value.startswith(("http://", "https://")):
            # A path may hold what lets its reader in.
            return f"{urlsplit(value).scheme}://{urlsplit(value).hostname}/{MASK}"
    return value
