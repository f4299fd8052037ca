"""Errors of accounts, tokens and the buses as one line on stderr, and exit status 1."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from cqrs_app.kernel.errors import BusError
from cqrs_app.platform.operators.errors import AccountError


def in_one_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """Decorates the function of a click command."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except AccountError as error:
            raise click.ClickException(str(error)) from error
        except BusError as error:
            raise click.ClickException(f"{error.sentence} [{error.code}]") from error

    return run
