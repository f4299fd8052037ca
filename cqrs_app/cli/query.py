"""`flask query NAME`: ask a question; the answer is JSON and says how fresh it is."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from flask import current_app

from cqrs_app.cli.acting import acting_as
from cqrs_app.cli.command import as_option
from cqrs_app.cli.message_group import MessageGroup, registry
from cqrs_app.extensions import kernel
from cqrs_app.kernel.messages import Query
from cqrs_app.kernel.query_bus import Answer, Asker, Seen


def _seen(ctx: click.Context, param: click.Parameter, value: str | None) -> Seen | None:
    if value is None:
        return None
    stream, _, version = value.rpartition(":")
    if not stream or not version.isdecimal():
        raise click.BadParameter("Write it as STREAM:VERSION, such as order-536365:2.")
    return Seen(stream, int(version))


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
        help="How long to wait for it. Default: READ_YOUR_WRITES_SECONDS.",
    ),
    click.Option(["--strong"], is_flag=True, help="Answer from the events themselves."),
]


def run(query: Query, ctx: click.Context) -> None:
    """Ask one question as the options say and print the answer."""
    given = ctx.params
    wait = current_app.extensions["settings"].read_your_writes_seconds
    if given["wait_ms"] is not None:
        wait = given["wait_ms"] / 1000
    asker = Asker(
        actor=acting_as(given["as_name"]), seen=given["seen"], wait=wait, strong=given["strong"]
    )
    _print(kernel.queries.ask(query, asker))


def _print(answer: Answer[Any]) -> None:
    freshness = answer.freshness
    shown = {
        "value": answer.value,
        "as_of": freshness.as_of,
        "position": freshness.position,
        "lag_events": freshness.lag_events,
        "lag_seconds": freshness.lag_seconds,
        "stale": answer.stale,
    }
    click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))


query = MessageGroup(
    "query",
    lambda: registry().queries,
    run,
    options,
    help="Ask a question, such as `flask query GetOrder --order-id 536365`. Answers in JSON.",
)
