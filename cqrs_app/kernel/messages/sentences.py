"""What the decoder of values objects to, as sentences for people.

msgspec says it in English for programmers, and in no other way: this is the only module that
matches its texts, with a test for each.
"""

from __future__ import annotations

import re

import msgspec

NEEDED = "This is needed."
A_NUMBER = "Write a number, such as 12.50."
NO_SUCH_FIELD = "There is no such field."
UNUSABLE_CHARACTERS = "This has characters that cannot be used here."

_SENTENCES = (
    (r"Expected `str` of length >= 1$", NEEDED),
    (r"Expected `str` of length >= (\d+)", r"Write at least \1 characters."),
    (r"Expected `str` of length <= (\d+)", r"Write at most \1 characters."),
    (r"Expected `str` matching regex.*", UNUSABLE_CHARACTERS),
    (r"Expected `int` >= (-?\d+)", r"Must be \1 or more."),
    (r"Expected `int` <= (-?\d+)", r"Must be \1 or less."),
    (r"Integer value out of range", "Write a whole number with fewer digits."),
    (r"Expected `int`.*", "Write a whole number."),
    (r"Invalid decimal string|Expected `decimal`.*", A_NUMBER),
    (r"Invalid enum value.*", "Choose one from the list."),
    (r"Expected `array` of length >= 1$", "At least one is needed."),
    (r"Expected `array` of length <= (\d+)", r"At most \1 are possible."),
    (
        r"Invalid RFC3339 encoded date$|Expected `date`.*|Invalid ISO8601.*",
        "Write a date, such as 2026-03-31.",
    ),
    (
        r"Invalid RFC3339.*|Expected `datetime`.*",
        "Write a date and time with its zone, such as 2026-03-31T14:05:00Z.",
    ),
    (r"Expected `str`.*", "Write a text."),
    (r"Expected `bool`.*", "Write true or false."),
    (r"Expected `array`.*", "Write a list."),
    (r"Expected `object`.*", "Write an object with named values."),
)


def told(place: str, error: msgspec.ValidationError) -> tuple[str, str]:
    """Where the decoder stopped, below `place`, and its message as a sentence for people."""
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
