"""Texts cut into the words that searches compare."""

from __future__ import annotations

import re
import unicodedata

_LONGEST_WORD = 100


def words(written: str) -> list[str]:
    """The words of a text: letters and digits, without case and accents, each once."""
    plain = unicodedata.normalize("NFKD", written).casefold()
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    found = re.findall(r"[^\W_]+", kept)
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found))
