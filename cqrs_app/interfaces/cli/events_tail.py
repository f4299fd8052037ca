"""`flask events tail`: the event log as it grows, one line per event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from cqrs_app.interfaces.cli.faults import database_sentence
from cqrs_app.interfaces.cli.message_group import registry
from cqrs_app.interfaces.cli.pausing import pause
from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent, UnreadableEvent
from cqrs_app.platform.runtime.feed import beyond_head, unknown_types
from cqrs_app.services import kernel

BATCH = 500
LAST = 20
POLL_SECONDS = 0.5
INTERRUPTED = 130
"""The exit status that shells use for a process ended by Ctrl-C."""


def _known_types(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> frozenset[str] | None:
    if value is None:
        return None
    types = frozenset(part.strip() for part in value.split(",") if part.strip())
    if not types:
        raise click.BadParameter("No event type is named. Leave the option out for all events.")
    if sentence := unknown_types(sorted(types), registry().events):
        raise click.BadParameter(sentence)
    return types


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with new events until Ctrl-C.")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    metavar="POSITION",
    help=f"Begin behind this position. Default: the last {LAST} events.",
)
@click.option("--types", callback=_known_types, metavar="A,B", help="Only these types of events.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with payload.")
@with_appcontext
def tail(follow: bool, after: int | None, types: frozenset[str] | None, as_json: bool) -> None:
    """Print events in the order of the log."""
    try:
        for event in _followed(after) if follow else _from(_start(after)):
            if types is None or event.type in types:
                click.echo(_as_json(event) if as_json else _line(event))
    except DBAPIError as error:
        raise click.ClickException(database_sentence(error)) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def _start(after: int | None) -> int:
    head = kernel.store.head()
    if after is None:
        return max(head - LAST, 0)
    if sentence := beyond_head(after, head):
        raise click.BadParameter(sentence, param_hint="--after")
    return after


def _from(position: int) -> Iterator[StoredEvent]:
    """Every event after a position that is committed now, including those without a position."""
    kernel.store.place()
    while batch := kernel.store.follow(position, BATCH):
        yield from batch
        position = batch[-1].position or position


def _followed(after: int | None) -> Iterator[StoredEvent]:
    """The same without an end; waits for a database that is away."""
    position, away = after, False
    while True:
        try:
            position = _start(position)
            for event in _from(position):
                position = event.position or position
                yield event
        except DBAPIError as error:
            if not away:
                click.echo(f"{database_sentence(error)} Waiting for it…", err=True)
            away = True
        else:
            if away:
                click.echo("The database answers again. No event was missed.", err=True)
            away = False
        pause(POLL_SECONDS)


def _line(event: StoredEvent) -> str:
    return (
        f"{event.position:>8}  {event.recorded_at:%Y-%m-%d %H:%M:%S} UTC  {event.type:<24} "
        f"{event.stream} version {event.version} by {event.operator}"
    )


def _as_json(event: StoredEvent) -> str:
    shown: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(bytes,))
    shown["hash"] = event.hash.hex()
    payload = kernel.vault.open(event.payload, event.stream)
    try:
        msgspec.json.decode(payload)
        shown["payload"] = msgspec.Raw(payload.encode())
        kernel.registry.codec.decode(event)
    except UnknownEvent:
        pass  # of a newer release: it is shown as it is stored
    except (msgspec.DecodeError, UnreadableEvent):
        shown |= {"payload": event.payload, "unreadable": "The payload is damaged."}
    return msgspec.json.encode(shown).decode()
