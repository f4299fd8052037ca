"""The words that searches compare."""

from __future__ import annotations

import pytest

from cqrs_app.kernel.search_words import tokenize


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("\u0141ukasz", "Lukasz"),
        ("S\u00f8ren", "soren"),
        ("\u0110or\u0111e", "dorde"),
        ("\u00c6r\u00f8", "aero"),
        ("Stra\u00dfe", "strasse"),
        ("Ren\u00e9", "rene"),
    ],
)
def test_a_letter_is_found_by_its_plain_one(written: str, typed: str) -> None:
    assert tokenize(written) == tokenize(typed)


def test_words_inside_han_and_kana_are_words() -> None:
    lantern_set = "\u7ea2\u706f\u7b3c\u5957\u88c5"
    for part in (lantern_set[1:3], lantern_set[1:4], lantern_set):
        assert set(tokenize(part)) <= set(tokenize(lantern_set))
    assert not set(tokenize("\u706f\u88c5")) <= set(tokenize(lantern_set))


def test_what_hyphens_part_is_indexed_as_one_word_too() -> None:
    assert tokenize("AB-123-x", indexed=True) == ["ab", "123", "x", "ab123x"]
    assert tokenize("AB-123-x") == ["ab", "123", "x"]
