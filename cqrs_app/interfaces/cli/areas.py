"""`flask areas`: the areas that other packages bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from alembic.util import CommandError
from flask.cli import with_appcontext

from cqrs_app import database, plugins
from cqrs_app.area_checks import AreaFinding, findings
from cqrs_app.plugins import Plugin
from cqrs_app.services import services

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@click.group("areas")
def areas() -> None:
    """List, check and remove areas that other packages bring."""


@areas.command("list")
@with_appcontext
def list_command() -> None:
    """Show the areas that other packages bring."""
    found = plugins.installed()
    for each in found:
        commands = ", ".join(command.__name__ for command in each.area.handlers)
        click.echo(f"{each.name}  from {each.package}: {commands}")
    if not found:
        click.echo("No package brings an area. See docs/areas.md.")


@areas.command()
@click.argument("names", nargs=-1)
@click.option(
    "--sarif",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the findings to this file, as SARIF 2.1.0.",
)
@with_appcontext
def check(names: tuple[str, ...], sarif: Path | None) -> None:
    """Say what is wrong with the areas called NAMES, or with all. Exit status 1: there is
    something."""
    wanted = [_named(name) for name in names] or [*plugins.installed()]
    found = [each for plugin in wanted for each in findings(plugin)]
    for each in found:
        place = f"{each.file}:{each.line}: " if each.file else ""
        click.echo(f"{place}{each.sentence} [{each.rule}]")
    if sarif:
        sarif.write_text(json.dumps(_as_sarif(found), indent=2) + "\n")
    if found:
        raise SystemExit(1)
    click.echo(f"Nothing is wrong with {', '.join(each.name for each in wanted) or 'no area'}.")


@areas.command()
@click.argument("name")
@click.confirmation_option(prompt="Its read models are dropped; its events stay. Go on?")
@with_appcontext
def remove(name: str) -> None:
    """Drop the tables of the area called NAME, so that its package can be uninstalled.

    Its events stay in the log and still verify: installed again, the area is as before after
    `flask db upgrade` and `flask projections rebuild`.
    """
    plugin = _named(name)
    try:
        for store in database.STORES:
            if plugin.folder(f"migrations/{store}"):
                database.downgrade(services.settings, store, "base", plugin.name)
    except CommandError as error:
        raise click.ClickException(f"{error}. Nothing was dropped.") from error
    click.echo(
        f"The tables of {name} are gone, and its events are kept. Uninstall its package now, and "
        "start the console again."
    )


def _named(name: str) -> Plugin:
    found = next((each for each in plugins.installed() if each.name == name), None)
    if found is None:
        raise click.UsageError(f"No package brings an area called {name}.")
    return found


def _as_sarif(found: list[AreaFinding]) -> dict[str, Any]:
    def result(each: AreaFinding) -> dict[str, Any]:
        place = {
            "physicalLocation": {
                "artifactLocation": {"uri": each.file},
                "region": {"startLine": max(1, each.line)},
            }
        }
        return {
            "ruleId": each.rule,
            "level": "error",
            "message": {"text": each.sentence},
            "locations": [place] if each.file else [],
        }

    rules = [{"id": rule} for rule in sorted({each.rule for each in found})]
    driver = {"name": "flask areas check", "rules": rules}
    runs = [{"tool": {"driver": driver}, "results": [result(each) for each in found]}]
    return {"$schema": SARIF, "version": "2.1.0", "runs": runs}
