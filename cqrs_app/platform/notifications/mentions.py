"""Names in notes: "@ana, please call them"."""

from __future__ import annotations

import re

_MENTION = re.compile(r"(?<![\w@.])@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)


def mentioned(note: str) -> tuple[str, ...]:
    """The names after an @, in lower case and without the point that ends a sentence. That of an
    e-mail address is none."""
    names = (found.rstrip("._-").casefold() for found in _MENTION.findall(note))
    return tuple(dict.fromkeys(names))
