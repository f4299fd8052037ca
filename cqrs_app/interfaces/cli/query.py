"""`flask query NAME`: ask a question; the answer is JSON and says how fresh it is."""

from __future__ import annotations

import math
from dataclasses import replace

import click
import msgspec

from cqrs_app.interfaces.cli.acting import acting_as
from cqrs_app.interfaces.cli.command import as_option
from cqrs_app.interfaces.cli.message_group import MessageGroup, registry
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.bounds import HIGHEST_POSITION, LONGEST_STALENESS, Bounds
from cqrs_app.kernel.queries.context import MinVersion, QueryContext
from cqrs_app.platform.runtime.records import shown
from cqrs_app.services import kernel, services


def _seen(ctx: click.Context, param: click.Parameter, value: str | None) -> MinVersion | None:
    try:
        return None if value is None else MinVersion.from_text(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _number(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        raise click.BadParameter("It is not a number.")
    return value


options = [
    as_option,
    click.Option(
        ["--min-version", "seen"],
        callback=_seen,
        metavar="STREAM:VERSION",
        help="Wait until the answer holds this write; later it comes all the same, marked stale.",
    ),
    click.Option(
        ["--wait-ms"],
        type=click.IntRange(0, 60_000),
        help="How long to wait for what is asked for. Default: READ_YOUR_WRITES_SECONDS.",
    ),
    click.Option(
        ["--min-position"],
        type=click.IntRange(0, HIGHEST_POSITION),
        default=0,
        help="Answer only with every event up to this position of the log.",
    ),
    click.Option(
        ["--max-staleness"],
        type=click.FloatRange(0, LONGEST_STALENESS),
        callback=_number,
        metavar="SECONDS",
        help="Answer only if the oldest event that is missing is at most so old.",
    ),
    click.Option(["--strong"], is_flag=True, help="Answer from the events themselves."),
]


def authorise(cls: type[Query], ctx: click.Context) -> None:
    kernel.queries.authorise(cls, _asker(ctx))


def run(query: Query, ctx: click.Context) -> None:
    """Run one query as the options say and print the answer."""
    answer = kernel.queries.ask(query, _asker(ctx))
    answer = replace(answer, value=shown(type(query), answer.value))
    click.echo(msgspec.json.format(msgspec.json.encode(answer.to_dict()), indent=2))


def _asker(ctx: click.Context) -> QueryContext:
    given = ctx.params
    wait = services.settings.read_your_writes_seconds
    if given["wait_ms"] is not None:
        wait = given["wait_ms"] / 1000
    return QueryContext(
        actor=acting_as(given["as_name"]),
        seen=given["seen"],
        wait=wait,
        strong=given["strong"],
        bounds=Bounds(min_position=given["min_position"], max_staleness=given["max_staleness"]),
    )


query = MessageGroup(
    "query",
    lambda: registry().queries,
    authorise,
    run,
    options,
    help="Ask a question, such as `flask query GetOrder --order-id 536365`. Answers in JSON.",
)
