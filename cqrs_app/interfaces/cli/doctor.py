"""`flask doctor`: what is wrong with this console, and what to do about it."""

from __future__ import annotations

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app.interfaces.cli.checks import ATTENTION, FAULT, OK, Console, Finding, findings
from cqrs_app.services import services

COLOURS = {OK: "green", ATTENTION: "yellow", FAULT: "red"}
_WORST_FIRST = (FAULT, ATTENTION, OK)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look at every part of the console. Exit status 1 when one of them has a fault."""
    console = Console(
        settings=services.settings,
        kernel=services.kernel,
        accounts=services.accounts,
    )
    found = []
    for finding in findings(console):
        found.append(finding)
        if not as_json:
            _tell(finding)
    worst = next(state for state in _WORST_FIRST if state in {each.state for each in found})
    if as_json:
        click.echo(msgspec.json.encode({"state": worst, "findings": found}))
    if worst == FAULT:
        raise click.exceptions.Exit(1)


def _tell(finding: Finding) -> None:
    state = click.style(f"{finding.state:<9}", fg=COLOURS[finding.state])
    click.echo(f"{state}  {finding.name}: {finding.sentence}")
    if finding.todo:
        click.echo(f"{'':<11}{finding.todo}")
