"""Searching a column of words: few rows, or none where a text index would pay."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, false, or_

from cqrs_app.kernel.search_words import readings

MOST_WORDS = 12


def word_column(words: Iterable[str]) -> str:
    """Words with a blank before each, so that a pattern finds their beginnings."""
    return "".join(f" {word}" for word in words)


def words_begin(column: ColumnElement[str], written: str) -> ColumnElement[bool]:
    """The rows in whose column of words all that somebody typed begins a word; of what has no
    letter or digit, none."""
    return or_(
        *(
            and_(*(column.contains(f" {word}") for word in words))
            for words in readings(written, MOST_WORDS)
        ),
        false(),
    )
