"""`flask events`: watch the log, verify its hash chains, look after the stored contracts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO, get_args

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app import PROJECT, plugins
from cqrs_app.interfaces.cli.events_tail import tail
from cqrs_app.kernel.events import contracts
from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.verification.seals import LogName, Seal
from cqrs_app.kernel.verification.streams import Report
from cqrs_app.platform.audit.anchors import Anchor, newest
from cqrs_app.platform.audit.timestamps import NotStamped, stamped_at
from cqrs_app.services import kernel, services

CONTRACTS = PROJECT / "docs" / "contracts"


@click.group()
def events() -> None:
    """Look after the event log."""


events.add_command(tail)


@events.command()
@click.option(
    "--against",
    type=click.File("rb"),
    help="A file that `flask events seal` wrote, kept out of reach of this database.",
)
@click.option(
    "--anchors",
    type=click.File("rb"),
    help="A copy of SEAL_ANCHOR_FILE, or of what SEAL_ANCHOR_URL was sent, a line each.",
)
@click.option(
    "--authority",
    type=click.File("rb"),
    help="Root certificates in PEM: the newest anchor must have a time stamp of theirs.",
)
@with_appcontext
def verify(
    against: IO[bytes] | None, anchors: IO[bytes] | None, authority: IO[bytes] | None
) -> None:
    """Check that nothing was changed, removed or added behind the product's back."""
    if against and anchors:
        raise click.UsageError("Use either --against or --anchors.")
    if authority and not anchors:
        raise click.UsageError("Use --authority with --anchors.")
    kept = _anchored(anchors, authority) if anchors else _kept(against)
    streams = seen = found = 0
    for report in kernel.verify_streams():
        streams, seen = streams + 1, seen + report.entries
        found += _show(report)
    found += sum(map(_show, kernel.verify_logs(kept)))
    sealed = {log: kernel.seals.latest(log).entries for log in get_args(LogName)}
    click.echo(
        f"{counted(streams, 'stream')}, {counted(seen, 'event')} ({sealed['events']:,} sealed), "
        f"{counted(sealed['commands'], 'command')} sealed, {counted(found, 'fault')}."
    )
    if found:
        raise SystemExit(1)


@events.command()
@with_appcontext
def seal() -> None:
    """Write the newest seals of the log and the command log, to be kept elsewhere.

    `verify --against` then finds whatever was changed below them, the seals in the database
    included.
    """
    while kernel.seals.extend():
        pass
    seals = {log: kernel.seals.latest(log) for log in get_args(LogName)}
    click.echo(msgspec.json.format(msgspec.json.encode(seals)).decode())


def _kept(file: IO[bytes] | None) -> dict[LogName, Seal] | None:
    try:
        return None if file is None else msgspec.json.decode(file.read(), type=dict[LogName, Seal])
    except msgspec.MsgspecError:
        raise click.ClickException(
            "The file with the seals cannot be read. Give one that `flask events seal` wrote."
        ) from None


def _anchored(file: IO[bytes], authority: IO[bytes] | None) -> dict[LogName, Seal]:
    try:
        anchor = newest(file, services.settings.console_id())
    except ValueError as error:
        raise click.ClickException(
            f"The file with the anchors cannot be used: {error}. Give one that the console wrote."
        ) from None
    if authority:
        at = _stamped_at(anchor, authority)
        click.echo(f"The newest anchor was stamped at {at:%Y-%m-%d %H:%M:%S} UTC.")
    return anchor.seals


def _stamped_at(anchor: Anchor, authority: IO[bytes]) -> datetime:
    if not anchor.timestamp:
        raise click.ClickException("The newest anchor has no time stamp.")
    try:
        return stamped_at(anchor.timestamp, anchor.content, authority.read()).astimezone(UTC)
    except NotStamped as error:
        raise click.ClickException(f"The newest anchor: {error}") from None


def _show(report: Report) -> bool:
    """Print the findings; returns whether there are any."""
    if report.fault:
        click.echo(f"{report.about}: {report.fault}")
    return report.fault is not None


@events.command("contracts")
@click.option("--write", is_flag=True, help="Write contracts for types that have none.")
@with_appcontext
def contracts_command(write: bool) -> None:
    """Compare each event's shape with its stored contract. Those of plug-in areas are in the folder
    contracts of their package."""
    registry = kernel.registry
    plugged = {plugin.contracts: plugin.area.event_types for plugin in plugins.installed()}
    others = {event for events in plugged.values() for event in events}
    own = [event for event in registry.events.values() if event not in others]
    faults = []
    for folder, events in {CONTRACTS: own, **plugged}.items():
        if write:
            for name in contracts.write_missing(events, folder):
                click.echo(f"wrote {name}")
        faults += contracts.faults(registry.codec, events, folder)
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(1)
    click.echo("Every event keeps its contract.")
