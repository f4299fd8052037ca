"""`flask export`: whole lists into files, with the filters that the pages have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app.installed_areas import build_registry
from cqrs_app.interfaces.cli.acting import SHELL, acting_as
from cqrs_app.interfaces.cli.canonical import canonical
from cqrs_app.interfaces.cli.sentences import in_one_sentence
from cqrs_app.interfaces.cli.whole_file import STDOUT, whole_file
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.queries.paging import LARGEST_PAGE
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.transfer.exports.formats import FORMATS
from cqrs_app.platform.transfer.exports.lists import Listing, listings, question_of
from cqrs_app.platform.transfer.exports.rows import Rows, pages
from cqrs_app.services import kernel, services

TELL_EVERY = 50_000


class LoggedEvent(msgspec.Struct, frozen=True):
    """An event as it is stored. `id` begins with its hash; `payload` is JSON."""

    position: int
    id: str
    stream: str
    version: int
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    operator: str
    command_id: str
    correlation_id: str
    causation_id: str | None
    payload: str


class Lists(click.Group):
    """A group with a command per list, besides those added to it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_lists()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        listing = _lists().get(cmd_name)
        return _command(listing) if listing else super().get_command(ctx, cmd_name)


@click.group(cls=Lists)
def export() -> None:
    """Write a whole list to a file."""


export.add_command(canonical)


@export.command("events")
@click.option("--format", "ending", type=click.Choice(sorted(FORMATS)), default="jsonl")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=STDOUT,
    help="A file, or - for the standard output (the default).",
)
@with_appcontext
def events(ending: str, out: Path) -> None:
    """Write the whole event log as it is stored, in the order of its positions."""
    with whole_file(out) as file:
        write, locale = FORMATS[ending].write, services.settings.locale
        file.writelines(write(hints_of(LoggedEvent), _log(), locale))


def _log() -> Iterator[Rows]:
    """The events, as many at a time as a page has."""
    kernel.store.place()
    position = 0
    while page := kernel.store.follow(position, LARGEST_PAGE):
        names = LoggedEvent.__struct_fields__
        yield tuple(LoggedEvent(*(getattr(each, name) for name in names)) for each in page)
        position = page[-1].position or 0


def _lists() -> dict[str, Listing]:
    return {each.name: each for each in listings(build_registry()).values()}


def _command(listing: Listing) -> click.Command:
    filters = ", ".join(listing.filters)

    return click.Command(
        listing.name,
        callback=with_appcontext(partial(_run, listing)),
        help=f"Write {listing.name} to a file. Filters: {filters}.",
        short_help=f"Write {listing.name} to a file.",
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
        question = question_of(listing, pairs(given))
    except Invalid as invalid:
        raise click.UsageError(invalid.sentence) from invalid
    services.audit.record(Kind.EXPORTED, actor.name, listing.name, detail=ending, at=SHELL)
    with whole_file(out) as file:
        portions = pages(kernel.queries, question, actor)
        told = portions if out == STDOUT else _told(listing, out, portions)
        file.writelines(FORMATS[ending].write(listing.columns, told, services.settings.locale))


def pairs(given: Sequence[str]) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{each!r} is no filter: write NAME=VALUE.")
        pairs.setdefault(name.strip(), []).append(value)
    return pairs


def _told(listing: Listing, out: Path, portions: Iterable[Rows]) -> Iterator[Rows]:
    """The same portions; reports the number of rows on the way."""
    count, told = 0, 0
    for rows in portions:
        yield rows
        count += len(rows)
        if count - told >= TELL_EVERY:
            told = count
            click.echo(f"{count:,} rows", err=True)
    click.echo(f"{counted(count, 'row')} of {listing.name} in {out}", err=True)
