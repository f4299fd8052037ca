"""Texts cut into the words that searches compare."""

from __future__ import annotations

import re
import unicodedata

_LONGEST_WORD = 100


def tokenize(written: str) -> list[str]:
    """The words of a text: letters and digits, without case and accents, each once."""
    found = re.findall(r"[^\W_]+", written.lower() if written.isascii() else _plain(written))
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found))


def _plain(written: str) -> str:
    plain = unicodedata.normalize("NFKD", written).casefold()
    return "".join(char for char in plain if not unicodedata.combining(char))
