"""Parses typed values from the environment and reports invalid ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, get_args, get_origin

import click
from msgspec import Meta

CLOSE = 0.88
"""From which similarity, 0 to 1, a name may be a misspelling of another."""


class SettingsError(click.ClickException):
    """A setting has an invalid value. The text names it and says what to write.

    Every `flask` command ends with that text instead of a traceback.
    """


def parse(name: str, text: str, kind: Any) -> Any:
    """Convert the text to a bool, a number within the bounds of its Meta, a path or a text. Raises
    SettingsError."""
    if kind is bool:
        lowered = text.strip().lower()
        if lowered in ("1", "true", "yes", "on"):
            return True
        if lowered in ("0", "false", "no", "off"):
            return False
        raise SettingsError(f"{name} is {text!r}; write true or false.")
    if get_origin(kind) is Annotated:
        return _number(name, text, *get_args(kind))
    return kind(text.strip())


def _number(name: str, text: str, kind: type[int] | type[float], bounds: Meta) -> float:
    least, most = bounds.ge, bounds.le
    try:
        number = kind(text)
    except ValueError:
        number = kind(-1)
    # Written so that NaN is rejected: it is within no bounds.
    if not ((least is None or number >= least) and (most is None or number <= most)):
        raise SettingsError(f"{name} is {text!r}; write {number_within(kind, bounds)}.")
    return number


def number_within(kind: type[int] | type[float], bounds: Meta) -> str:
    """Which numbers are valid, in words."""
    what = "a whole number" if kind is int else "a number"
    if bounds.le is None:
        return f"{what} of {bounds.ge:,} or more"
    return f"{what} from {bounds.ge:,} to {bounds.le:,}"


def misspelt(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Those of the names that are no settings but resemble one -> that setting.

    Only a guess: the environment also holds variables of other programs.
    """
    settings = list(known)
    near = {
        name: difflib.get_close_matches(name, settings, n=1, cutoff=CLOSE)
        for name in names
        if name not in settings
    }
    return {name: found[0] for name, found in near.items() if found}
