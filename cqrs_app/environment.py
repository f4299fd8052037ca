"""Typed values from the environment, and what is wrong with those that cannot be used."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, get_args, get_origin

import click
from msgspec import Meta

CLOSE = 0.88
"""How alike two names are, from 0 to 1, when one may be a slip of the other."""


class SettingsError(click.ClickException):
    """A setting has a value the product cannot run with; the text says which and what to write.

    Every command of `flask` that meets one ends with that text instead of a traceback.
    """


def parse(name: str, text: str, kind: Any) -> Any:
    """The text as a bool, a number within the bounds of its Meta, a path or a text. Raises
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
    # Nothing that is not a number is within bounds.
    if not ((least is None or number >= least) and (most is None or number <= most)):
        what = "a whole number" if kind is int else "a number"
        limits = f"from {least:,} to {most:,}" if most is not None else f"of {least:,} or more"
        raise SettingsError(f"{name} is {text!r}; write {what} {limits}.")
    return number


def misspelt(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Of these names those that are no settings but nearly are -> the settings they may mean.

    Only a guess: the environment holds what other programs want to know too.
    """
    settings = list(known)
    near = {
        name: difflib.get_close_matches(name, settings, n=1, cutoff=CLOSE)
        for name in names
        if name not in settings
    }
    return {name: found[0] for name, found in near.items() if found}
