"""The one map from errors to shell output: a sentence on stderr, exit status 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
import msgspec
from sqlalchemy.exc import DBAPIError

from cqrs_app.kernel.errors import BusError, CommandReused, NotAllowed, Refused, VersionConflict
from cqrs_app.platform.operators.errors import AccountError

REFUSALS = (Refused, NotAllowed, VersionConflict, CommandReused)


class NotDone(click.ClickException):
    """A sentence with its code on stderr, exit status 1; on request also JSON on stdout."""

    def __init__(self, status: str, code: str, sentence: str, *, as_json: bool) -> None:
        super().__init__(f"{sentence} [{code}]")
        if as_json:
            told = {"status": status, "code": code, "sentence": sentence}
            click.echo(msgspec.json.encode(told))


@contextmanager
def in_shell_words(ctx: click.Context) -> Iterator[None]:
    """Convert what the buses raise, and a database that is away, into NotDone."""
    as_json = bool(ctx.params.get("as_json"))
    try:
        yield
    except BusError as error:
        status = "refused" if isinstance(error, REFUSALS) else "failed"
        raise NotDone(status, error.code, error.sentence, as_json=as_json) from error
    except AccountError as error:
        raise NotDone("refused", "unusable_operator", str(error), as_json=as_json) from error
    except DBAPIError as error:
        raise NotDone(
            "failed", "database_away", database_sentence(error), as_json=as_json
        ) from error


DONE_OR_NOT = "The request was either carried out or had no effect. `flask doctor` says more."


@contextmanager
def database_in_one_sentence(advice: str = DONE_OR_NOT) -> Iterator[None]:
    """For verbs without a message of their own about a database that is down."""
    try:
        yield
    except DBAPIError as error:
        raise click.ClickException(database_sentence(error, advice)) from error


def database_sentence(error: DBAPIError, advice: str = DONE_OR_NOT) -> str:
    """Why a database cannot be used, for example because it is down or has no tables yet."""
    lines = str(error.orig).strip().splitlines()
    reason = lines[0] if lines else type(error.orig).__name__
    return f"The database cannot be used: {reason}. {advice}"
