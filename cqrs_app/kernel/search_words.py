"""Splits texts into the words that searches compare."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

_LONGEST_WORD = 100
_WORD = re.compile(r"[^\W_]+")
_PARTS = "[-\u2010\u2011./_'`\u2018\u2019\u2032]"
"""What parts a number, or a word of two: hyphens, points, apostrophes."""
# Tried only where a word begins: a long number would be read again from each of its characters.
_HYPHENATED = re.compile(rf"(?<![^\W_])[^\W_]++(?:{_PARTS}[^\W_]+)+")
_HYPHEN = re.compile(rf"(?<=[^\W_]){_PARTS}(?=[^\W_])")
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
        # Apostrophes that count as letters.
        "\u02bb": "'",
        "\u02bc": "'",
    }
)


def tokenize(written: str) -> list[str]:
    """The distinct words of a text: runs of letters and digits, without case and accents. Runs of
    three or more Han or kana characters become overlapping pairs."""
    found = (word for run in _WORD.findall(fold(written)) for word in _cut(run))
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found))


def index_words(texts: Iterable[str] = (), numbers: Iterable[str] = ()) -> list[str]:
    """The words by which texts are found: also what hyphens, points and the like part, as one word.
    `numbers`, such as SKUs or tracking numbers, are one word each as well, whatever is in them."""
    found: dict[str, None] = {}
    for text in numbers:
        found |= dict.fromkeys([*tokenize(text), *_parted(text), _together(text)])
    for text in texts:
        found |= dict.fromkeys([*tokenize(text), *_parted(text)])
    return [word for word in found if word]


def readings(written: str, most: int) -> list[list[str]]:
    """What somebody typed, as `most` words that must all be found: word by word; or with one word
    for what hyphens part; or, with a digit, all of it as one number."""
    plain = fold(written)
    forms = [written, _HYPHEN.sub("", plain)]
    if re.search("[0-9]", plain):
        forms.append(_together(plain))
    found = (tuple(tokenize(form)[:most]) for form in forms)
    return [list(words) for words in dict.fromkeys(found) if words]


def fold(written: str) -> str:
    """The text without case and accents."""
    if written.isascii():
        return written.lower()
    plain = unicodedata.normalize("NFKD", written).casefold().translate(_LETTERS)
    return "".join(char for char in plain if not unicodedata.combining(char))


def _parted(text: str) -> Iterator[str]:
    for each in _HYPHENATED.findall(fold(text)):
        yield _together(each)


def _together(text: str) -> str:
    return re.sub(r"[\W_]+", "", fold(text))[:_LONGEST_WORD]


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
