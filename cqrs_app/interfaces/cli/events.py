"""`flask events`: watch the log, verify its hash chains, look after the stored contracts."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from cqrs_app.interfaces.cli.events_tail import tail
from cqrs_app.kernel.events import contracts
from cqrs_app.kernel.store.verification import verify as verify_chains
from cqrs_app.services import kernel

CONTRACTS = Path("docs/contracts")


@click.group()
def events() -> None:
    """Look after the event log."""


events.add_command(tail)


@events.command()
@with_appcontext
def verify() -> None:
    """Check that no event was changed, removed or added behind the product's back."""
    found = 0
    streams = events_seen = 0
    for report in verify_chains(kernel.store):
        streams += 1
        events_seen += report.events
        if report.fault:
            found += 1
            click.echo(f"{report.stream}: {report.fault}")
    click.echo(f"{streams} streams, {events_seen} events, {found} faults.")
    if found:
        raise SystemExit(1)


@events.command("contracts")
@click.option("--write", is_flag=True, help="Write contracts for types that have none.")
@with_appcontext
def contracts_command(write: bool) -> None:
    """Compare each event's shape with its stored contract."""
    if write:
        for name in contracts.write_missing(kernel.registry.events.values(), CONTRACTS):
            click.echo(f"wrote {name}")
    faults = contracts.faults(kernel.registry.codec, CONTRACTS)
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(1)
    click.echo("Every event keeps its contract.")
