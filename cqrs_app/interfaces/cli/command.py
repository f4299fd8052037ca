"""`flask command NAME`: carry out a task, or show what it would lead to."""

from __future__ import annotations

import re
from typing import Any

import click
import msgspec

from cqrs_app.interfaces.cli.acting import CHANNEL, acting_as
from cqrs_app.interfaces.cli.message_group import MessageGroup, registry
from cqrs_app.kernel.commands.consequences import Effect
from cqrs_app.kernel.commands.context import Context, Receipt, new_id
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.platform.approvals.gate import AWAITING, REQUESTED, request_id_of
from cqrs_app.services import kernel

_SHOWN = ("command_id", "status", "stream", "version", "events", "duration_ms", "repeated")


def _usable_id(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9._:-]{8,64}", value):
        raise click.BadParameter("Write 8 to 64 letters, digits, points, colons or hyphens.")
    return value


as_option = click.Option(
    ["--as", "as_name"],
    metavar="OPERATOR",
    help="Act with this operator's role. Default: yourself, as the owner of this machine.",
)
options = [
    as_option,
    click.Option(
        ["--expected-version"],
        type=click.IntRange(min=0),
        help="Refuse when the stream has moved on from this version.",
    ),
    click.Option(
        ["--command-id"],
        callback=_usable_id,
        help="A command is carried out once per id, however often it is sent. Default: a new id.",
    ),
    click.Option(
        ["--why"],
        default="",
        metavar="TEXT",
        help="A note to signers, where it needs approval.",
    ),
    click.Option(
        ["--dry-run"], is_flag=True, help="Print the events and what would follow; change nothing."
    ),
    click.Option(["--enqueue"], is_flag=True, help="Let a worker carry it out."),
    click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
]


def authorise(cls: type[Command], ctx: click.Context) -> None:
    kernel.commands.authorise(cls, _context(ctx))


def run(command: Command, ctx: click.Context) -> None:
    """Carry out one command as the options say and print its outcome."""
    given, context = ctx.params, _context(ctx)
    if given["dry_run"]:
        events = kernel.commands.preview(command, context)
        effects = kernel.commands.effects(command, context)
        _print_preview(events, effects, as_json=given["as_json"])
        return
    act = kernel.commands.enqueue if given["enqueue"] else kernel.commands.dispatch
    _print_receipt(type(command).__name__, act(command, context), as_json=given["as_json"])


def _context(ctx: click.Context) -> Context:
    given = ctx.params
    return Context(
        actor=acting_as(given["as_name"]),
        channel=CHANNEL,
        command_id=given["command_id"] or new_id(),
        expected_version=given["expected_version"],
        why=given["why"].strip(),
    )


def _print_receipt(name: str, receipt: Receipt, *, as_json: bool) -> None:
    facts: dict[str, Any] = {fact: getattr(receipt, fact) for fact in _SHOWN}
    if receipt.status == REQUESTED:
        facts |= {"status": AWAITING, "request_id": request_id_of(receipt.command_id)}
    if as_json:
        click.echo(msgspec.json.encode(facts))
        return
    again = " before; it was not done again" if receipt.repeated else ""
    if receipt.status == REQUESTED:
        click.echo(f"{name} needs approval; request {request_id_of(receipt.command_id)}")
        return
    click.echo(f"{name} {receipt.status}{again} in {receipt.duration_ms:.1f} ms")
    click.echo(f"  command  {receipt.command_id}")
    click.echo(f"  stream   {receipt.stream}")
    if receipt.events:
        click.echo(f"  version  {receipt.version}")
        click.echo(f"  events   {', '.join(receipt.events)}")


def _print_preview(
    events: tuple[Event, ...], effects: tuple[Effect, ...], *, as_json: bool
) -> None:
    listed = [{"type": type(event).__name__, "payload": event} for event in events]
    if as_json:
        document = {"status": "previewed", "events": listed, "effects": effects}
        click.echo(msgspec.json.encode(document))
        return
    click.echo("Nothing was changed. This would be recorded:")
    for event in events:
        click.echo(f"  {type(event).__name__} {msgspec.json.encode(event).decode()}")
    if effects:
        click.echo("This would follow:")
    for effect in effects:
        click.echo(f"  {effect.sentence}")


command = MessageGroup(
    "command",
    lambda: registry().commands,
    authorise,
    run,
    options,
    help="Run a command, such as `flask command ApproveOrder --order-id 536365`.",
)
