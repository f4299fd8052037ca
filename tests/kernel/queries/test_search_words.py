"""The words that searches compare."""

from __future__ import annotations

import pytest

from cqrs_app.kernel.search_words import index_words, readings, tokenize


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
    assert index_words(["AB-123-x cup"]) == ["ab", "123", "x", "cup", "ab123x"]
    assert tokenize("AB-123-x") == ["ab", "123", "x"]


def test_a_number_is_indexed_as_one_word_whatever_is_in_it() -> None:
    assert index_words(numbers=["1Z 999-AA"]) == ["1z", "999", "aa", "999aa", "1z999aa"]
    assert index_words(numbers=["", " - "]) == []


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("white lantern", [["white", "lantern"]]),
        ("T-Light", [["t", "light"], ["tlight"]]),
        ("cup 85-123A", [["cup", "85", "123a"], ["cup", "85123a"], ["cup85123a"]]),
        ("85123A", [["85123a"]]),
        ("ana.lima@example.org", [["ana", "lima", "example", "org"], ["analima", "exampleorg"]]),
        ("- ?", []),
    ],
)
def test_what_is_typed_is_read_word_by_word_without_hyphens_and_as_a_number(
    typed: str, read: list[list[str]]
) -> None:
    assert readings(typed, 12) == read
