"""The password that goes with a command. It is in no message, since messages are stored: whoever
executes the command leaves its hash here, and the command's transaction writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class ChosenPassword:
    """`temporary`: chosen by somebody else, so the operator chooses another at the next sign-in.
    `by_link`: with a sign-in link, which must be open still. `identity`: the issuer and the subject
    of who signs in with a provider instead."""

    hash: str
    temporary: bool
    identity: tuple[str, str] | None = None
    by_link: bool = False


_password: ContextVar[ChosenPassword | None] = ContextVar("chosen_password", default=None)


@contextmanager
def with_password(password: ChosenPassword) -> Iterator[None]:
    """Commands that are executed within write this password."""
    token = _password.set(password)
    try:
        yield
    finally:
        _password.reset(token)


def chosen() -> ChosenPassword | None:
    return _password.get()
