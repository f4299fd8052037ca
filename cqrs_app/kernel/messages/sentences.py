"""Turns the decoder's validation errors into sentences for people.

msgspec reports errors only as English text for programmers. No other module matches these texts,
and each has a test.
"""

from __future__ import annotations

import re

import msgspec

NEEDED = "Required."
A_NUMBER = "Enter a number, e.g. 12.50."
A_WHOLE_NUMBER = "Enter a whole number."
FEWER_DIGITS = "Enter a number with fewer digits."
FEWER_WHOLE_DIGITS = "Enter a whole number with fewer digits."
NO_SUCH_FIELD = "There is no such field."
UNUSABLE_CHARACTERS = "Contains characters that are not allowed."

_SENTENCES = (
    (r"Expected `str` of length >= 1$", NEEDED),
    (r"Expected `str` of length >= (\d+)", r"Enter at least \1 characters."),
    (r"Expected `str` of length <= (\d+)", r"Enter at most \1 characters."),
    (r"Expected `str` matching regex.*", UNUSABLE_CHARACTERS),
    (r"Expected `int` >= (-?\d+)", r"Must be \1 or more."),
    (r"Expected `int` <= (-?\d+)", r"Must be \1 or less."),
    (r"Integer value out of range", FEWER_WHOLE_DIGITS),
    (r"Expected `int`.*", A_WHOLE_NUMBER),
    (r"Invalid decimal string|Expected `decimal`.*", A_NUMBER),
    (r"Invalid enum value.*", "Choose one from the list."),
    (r"Expected `array` of length >= 1$", "At least one is required."),
    (r"Expected `array` of length <= (\d+)", r"At most \1 are allowed."),
    (
        r"Invalid RFC3339 encoded date$|Expected `date`.*|Invalid ISO8601.*",
        "Enter a date, e.g. 2026-03-31.",
    ),
    (
        r"Invalid RFC3339.*|Expected `datetime`.*",
        "Enter a date and time with its zone, e.g. 2026-03-31T14:05:00Z.",
    ),
    (r"Expected `str`.*", "Enter a text."),
    (r"Expected `bool`.*", "Enter true or false."),
    (r"Expected `array`.*", "Enter a list."),
    (r"Expected `object`.*", "Enter an object with named values."),
)


def counted(count: int, noun: str) -> str:
    """The number with its noun: "1 unit", "1,200 units"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def problem_of(place: str, error: msgspec.ValidationError) -> tuple[str, str]:
    """The path of a decoder's error, below `place`, and its message as a sentence for people."""
    text, _, inside = str(error).partition(" - at ")
    parts = re.findall(r"[^.\[\]]+", inside.strip("`").removeprefix("$"))
    missing = re.match(r"Object missing required field `([^`]*)`", text)
    if missing:
        return ".".join((place, *parts, missing[1])), NEEDED
    for pattern, sentence in _SENTENCES:
        if re.match(pattern, text):
            text = re.sub(pattern, sentence, text)
            break
    return ".".join((place, *parts)), text
