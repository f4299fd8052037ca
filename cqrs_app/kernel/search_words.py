"""Splits texts into the words that searches compare."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_LONGEST_WORD = 100
_WORD = re.compile(r"[^\W_]+")
_HYPHENATED = re.compile(r"[^\W_]+(?:[-\u2010\u2011./][^\W_]+)+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]{3,}")
"""Han and kana, which are written without spaces between words."""

# Letters that NFKD does not decompose, mapped to what people type who lack them on their keyboard.
_LETTERS = str.maketrans(
    {
        "\u0142": "l",
        "\u00f8": "o",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00fe": "th",
        "\u0127": "h",
        "\u0167": "t",
        "\u0131": "i",
    }
)


def tokenize(written: str, *, indexed: bool = False) -> list[str]:
    """The distinct words of a text: runs of letters and digits, without case and accents.

    Runs of three or more Han or kana characters become overlapping pairs. With `indexed`, words
    joined by hyphens, periods or slashes are also included as one word.
    """
    plain = fold(written)
    found = [word for run in _WORD.findall(plain) for word in _cut(run)]
    if indexed:
        found += [re.sub(r"\W", "", each) for each in _HYPHENATED.findall(plain)]
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found))


def fold(written: str) -> str:
    """The text without case and accents."""
    if written.isascii():
        return written.lower()
    plain = unicodedata.normalize("NFKD", written).casefold().translate(_LETTERS)
    return "".join(char for char in plain if not unicodedata.combining(char))


def _cut(run: str) -> list[str]:
    if run.isascii() or not _UNSPACED.search(run):
        return [run]
    parts = re.split(f"({_UNSPACED.pattern})", run)
    return [
        word
        for part in parts
        if part
        for word in (
            ["".join(pair) for pair in pairwise(part)] if _UNSPACED.fullmatch(part) else [part]
        )
    ]
