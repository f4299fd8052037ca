"""`flask catalogue`: what the console can do."""

from __future__ import annotations

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app.platform.catalogue.entries import Entry, FieldEntry, entries
from cqrs_app.platform.catalogue.examples import as_options
from cqrs_app.services import kernel


@click.command("catalogue")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known, as JSON.")
@with_appcontext
def catalogue(name: str | None, as_json: bool) -> None:
    """List every command, query and event, or describe NAME."""
    found = [entry for entry in entries(kernel.registry) if name in (None, entry.name)]
    if not found:
        raise click.UsageError(f"There is nothing called {name}. `flask catalogue` lists all.")
    if as_json:
        shown = found if name is None else found[0]
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))
    elif name is None:
        _list(found)
    else:
        _describe(found[0])


def _list(found: list[Entry]) -> None:
    width = max(len(entry.name) for entry in found)
    for entry in found:
        click.echo(f"{entry.kind:<8} {entry.name:<{width}}  {entry.permission or ''}")


def _describe(entry: Entry) -> None:
    click.echo(f"{entry.name}: {entry.kind} of {entry.area}. {entry.summary}")
    if entry.permission:
        click.echo(f"Permission: {entry.permission}")
    _fields("Fields", entry.fields)
    for name, fields in entry.parts.items():
        _fields(name, fields)
    if entry.refusals:
        click.echo("\nRefusals")
        for code, when in entry.refusals.items():
            click.echo(f"  {code}: {when}")
    if entry.kind != "event":
        click.echo("\nExample")
        click.echo(
            f"  flask {entry.kind} {entry.name} {' '.join(as_options(entry.example))}".rstrip()
        )


def _fields(title: str, fields: tuple[FieldEntry, ...]) -> None:
    click.echo(f"\n{title}")
    for field in fields:
        needed = "needed" if field.needed else "optional"
        told = ", ".join((field.type, needed, *field.limits))
        click.echo(f"  {field.name}: {field.title} ({told})")
        if field.help:
            click.echo(f"      {field.help}")
