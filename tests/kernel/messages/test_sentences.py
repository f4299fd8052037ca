"""Each objection of the decoder, as people read it: a release of msgspec that says it otherwise
fails here."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from cqrs_app.kernel.messages import sentences
from cqrs_app.kernel.messages.messages import value
from cqrs_app.kernel.messages.sentences import A_NUMBER, NEEDED, UNUSABLE_CHARACTERS, problem_of

A_TIME = "Enter a date and time with its zone, e.g. 2026-03-31T14:05:00Z."
A_DAY = "Enter a date, e.g. 2026-03-31."


class Colour(StrEnum):
    RED = "red"


@value
class Line:
    sku: str
    quantity: Annotated[int, Meta(ge=1)] = 1


CASES: list[tuple[Any, Any, str]] = [
    (Annotated[str, Meta(min_length=1)], "", NEEDED),
    (Annotated[str, Meta(min_length=10)], "short", "Enter at least 10 characters."),
    (Annotated[str, Meta(max_length=3)], "long", "Enter at most 3 characters."),
    (Annotated[str, Meta(pattern="^[a-z]+$")], "A1", UNUSABLE_CHARACTERS),
    (Annotated[int, Meta(ge=1)], 0, "Must be 1 or more."),
    (Annotated[int, Meta(ge=-5)], -6, "Must be -5 or more."),
    (Annotated[int, Meta(le=9)], 10, "Must be 9 or less."),
    (int, "many", "Enter a whole number."),
    (int, "9" * 5_000, "Enter a whole number with fewer digits."),
    (Decimal, "a lot", A_NUMBER),
    (Decimal, [], A_NUMBER),
    (Colour, "blue", "Choose one from the list."),
    (Annotated[tuple[int, ...], Meta(min_length=1)], [], "At least one is required."),
    (Annotated[tuple[int, ...], Meta(max_length=2)], [1, 2, 3], "At most 2 are allowed."),
    (datetime, "soon", A_TIME),
    (datetime, 5.5j, A_TIME),
    (str, 5, "Enter a text."),
    (bool, "maybe", "Enter true or false."),
    (tuple[int, ...], 5, "Enter a list."),
    (Line, 5, "Enter an object with named values."),
    (date, "soon", A_DAY),
    (date, [], A_DAY),
]


@pytest.mark.parametrize(("kind", "given", "sentence"), CASES)
def test_the_decoder_objects_in_a_sentence_for_people(kind: Any, given: Any, sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError) as objection:
        msgspec.convert(given, kind, strict=not isinstance(given, str) or kind is not int)
    assert problem_of("field", objection.value) == ("field", sentence)


def test_every_sentence_has_a_case() -> None:
    tested = {sentence for _, _, sentence in CASES}
    plain = {sentence for _, sentence in sentences._SENTENCES if "\\1" not in sentence}
    assert plain <= tested
    assert len(CASES) >= len(sentences._SENTENCES)


def test_the_place_inside_a_value_is_named() -> None:
    lines = [{"sku": "A"}, {"sku": "B", "quantity": 0}]
    with pytest.raises(msgspec.ValidationError) as objection:
        msgspec.convert(lines, tuple[Line, ...])
    assert problem_of("lines", objection.value) == ("lines.1.quantity", "Must be 1 or more.")


def test_a_missing_part_is_needed() -> None:
    with pytest.raises(msgspec.ValidationError) as objection:
        msgspec.convert([{"quantity": 2}], tuple[Line, ...])
    assert problem_of("lines", objection.value) == ("lines.0.sku", NEEDED)
