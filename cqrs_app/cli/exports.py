"""`flask export`: whole lists into files, with the filters that the pages have."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.areas import build_registry
from cqrs_app.cli.acting import acting_as
from cqrs_app.cli.canonical import canonical
from cqrs_app.cli.sentences import in_one_sentence
from cqrs_app.exports.formats import FORMATS
from cqrs_app.exports.lists import Listing, listings, question_of
from cqrs_app.exports.rows import Rows, pages
from cqrs_app.extensions import kernel
from cqrs_app.kernel.errors import BusError, Invalid

STDOUT = Path("-")
TELL_EVERY = 50_000


class Lists(click.Group):
    """A group with a command for every list, beside those that are added to it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_lists()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        listing = _lists().get(cmd_name)
        return _command(listing) if listing else super().get_command(ctx, cmd_name)


@click.group(cls=Lists)
def export() -> None:
    """Write a whole list to a file."""


export.add_command(canonical)


def _lists() -> dict[str, Listing]:
    return {each.name: each for each in listings(build_registry()).values()}


def _command(listing: Listing) -> click.Command:
    filters = ", ".join(listing.filters)

    return click.Command(
        listing.name,
        callback=with_appcontext(partial(_run, listing)),
        help=f"Write {listing.name} as CSV or JSONL. Filters: {filters}.",
        short_help=f"Write {listing.name} as CSV or JSONL.",
        params=[
            click.Option(
                ["--format", "ending"],
                type=click.Choice(sorted(FORMATS)),
                default="csv",
                show_default=True,
            ),
            click.Option(
                ["--out"],
                type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
                default=STDOUT,
                help="A file, or - for the standard output (the default).",
            ),
            click.Option(
                ["--filter", "given"],
                multiple=True,
                metavar="NAME=VALUE",
                help="As on the page, such as status=placed. May be repeated.",
            ),
            click.Option(
                ["--as", "operator"],
                metavar="OPERATOR",
                help="With this operator's role; default: all that any role may see.",
            ),
        ],
    )


@in_one_sentence
def _run(
    listing: Listing, ending: str, out: Path, given: Sequence[str], operator: str | None
) -> None:
    actor = acting_as(operator)
    try:
        question = question_of(listing, _pairs(given))
        portions = pages(kernel.queries, question, actor)
        if out != STDOUT:
            _to_file(listing, ending, out, portions)
            return
        stream = sys.stdout.buffer
        stream.writelines(FORMATS[ending].write(listing.columns, portions))
        stream.flush()
    except Invalid as invalid:
        raise click.UsageError(invalid.sentence) from invalid
    except (BusError, SQLAlchemyError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise  # whoever reads has had enough: click ends quietly
        raise click.ClickException(f"{_reason(error)} {_kept(out)}") from error


def _pairs(given: Sequence[str]) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{each!r} is no filter: write NAME=VALUE.")
        pairs.setdefault(name.strip(), []).append(value)
    return pairs


def _to_file(listing: Listing, ending: str, out: Path, portions: Iterator[Rows]) -> None:
    # Under a name of its own until it is whole: nobody can take half a list for all of it.
    descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(FORMATS[ending].write(listing.columns, _told(listing, out, portions)))
        part.chmod(0o666 & ~_umask())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _told(listing: Listing, out: Path, portions: Iterable[Rows]) -> Iterator[Rows]:
    """The same portions; how many rows there were is told on the way."""
    count, told = 0, 0
    for rows in portions:
        yield rows
        count += len(rows)
        if count - told >= TELL_EVERY:
            told = count
            click.echo(f"{count:,} rows", err=True)
    click.echo(f"{count:,} rows of {listing.name} in {out}", err=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(error: Any) -> str:
    if isinstance(error, BusError):
        return error.sentence
    if isinstance(error, OSError):
        return f"{error.filename or 'The file'} cannot be written: {error.strerror}."
    return f"The database did not answer: {getattr(error, 'orig', error)}."


def _kept(out: Path) -> str:
    if out == STDOUT:
        return "What was written until then is not the whole list. Try again."
    return f"{out} was not touched. Try again."
