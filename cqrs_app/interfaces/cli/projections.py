"""`flask projections`: list, rebuild, swap, catch up; see snapshots.py for the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import click
from flask.cli import with_appcontext

from cqrs_app.interfaces.cli.acting import CHANNEL, owner
from cqrs_app.interfaces.cli.faults import in_shell_words
from cqrs_app.interfaces.cli.rebuilding import chosen, known, rebuild_in_place
from cqrs_app.interfaces.cli.snapshots import restore, snapshot
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.runtime.commands import (
    CompareGenerations,
    DropGeneration,
    RebuildBeside,
    SwapProjection,
    SwitchBack,
)
from cqrs_app.platform.runtime.generations import GenerationList, GenerationView
from cqrs_app.services import kernel

CONTROL = "projection_control"
SECONDS = 1.0
"""How long to work between two reports of the progress."""


names_argument = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@click.group()
def projections() -> None:
    """Look after the read models, and whatever else follows the log."""


projections.add_command(snapshot)
projections.add_command(restore)


@projections.command("list")
@with_appcontext
def list_projections() -> None:
    """Every subscription with its position, lag, state and parked events."""
    kernel.runner.prepare()
    head = kernel.store.head()
    found = kernel.runner.cursors()
    click.echo(f"{'subscription':<24}{'position':>10}{'behind':>8}{'parked':>8}  state")
    for name, each in sorted(found.items()):
        behind = max(head - each.position, 0)
        click.echo(f"{name:<24}{each.position:>10}{behind:>8}{each.parked:>8}  {each.state}")
        if each.error:
            click.echo(f"    {each.error}")
    for view in _generations():
        click.echo(f"{view.projection}, rows beside: {_described(view)}")


@projections.command()
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All projections.")
@click.option("--outdated", is_flag=True, help="Those whose rows another release made.")
@click.option(
    "--beside",
    is_flag=True,
    help="Build the new rows beside the live ones, in one pass through the log, and compare them. "
    "Stopped, it goes on where it was.",
)
@with_appcontext
def rebuild(names: Sequence[str], *, every: bool, outdated: bool, beside: bool) -> None:
    """Replay every event into the projections NAME. Pages show the old rows until the new ones are
    complete, or with --beside, until they are swapped in."""
    kernel.runner.prepare()
    names = chosen(names, every=every, outdated=outdated)
    if beside:
        _rebuild_beside(names)
    else:
        for name in names:
            rebuild_in_place(name)


@projections.command()
@names_argument
@with_appcontext
def compare(names: Sequence[str]) -> None:
    """Compare the new rows of NAME with the live ones again. Status 1 if they differ."""
    _act(lambda name: CompareGenerations(projection=name), names)
    _work(names)


@projections.command()
@names_argument
@click.option(
    "--accept-differences",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Swap even if up to N rows differ from the live ones.",
)
@with_appcontext
def swap(names: Sequence[str], accept_differences: int) -> None:
    """Show the new rows of NAME instead of the live ones."""
    _act(lambda name: SwapProjection(projection=name, accept_differences=accept_differences), names)
    _report(names, "previous", "{} shows the new rows. `flask projections back {}` switches back.")


@projections.command()
@names_argument
@with_appcontext
def back(names: Sequence[str]) -> None:
    """Show the rows of NAME from before the swap again."""
    _act(lambda name: SwitchBack(projection=name), names)
    _report(names, "ready", "{} shows the rows from before the swap.")


@projections.command()
@names_argument
@with_appcontext
def drop(names: Sequence[str]) -> None:
    """Delete the rows beside the live ones of NAME."""
    _act(lambda name: DropGeneration(projection=name), names)
    for name in names:
        click.echo(f"{name} has no rows beside the live ones any more.")


@projections.command("catch-up")
@with_appcontext
def catch_up() -> None:
    """Bring every subscription up to date in this process."""
    kernel.runner.prepare()
    for name in kernel.registry.subscriptions:
        click.echo(f"{name}: {kernel.runner.advance(name)} events")


def _rebuild_beside(names: Sequence[str]) -> None:
    """Those that are being built already are gone on with."""
    unfinished = kernel.builder.unfinished()
    _act(
        lambda name: RebuildBeside(projection=name),
        [name for name in names if name not in unfinished],
    )
    _work(names)


def _work(names: Sequence[str]) -> None:
    """Build and compare, or wait for whoever does. Prints the comparison; status 1 if rows
    differ."""
    while waiting := [each for each in _generations(names) if each.state in _UNFINISHED]:
        for view in waiting:
            click.echo(f"{view.projection}: {_described(view)}")
        if kernel.builder.work(SECONDS) and not kernel.builder.is_due():
            time.sleep(SECONDS)
    found = _generations(names)
    for view in found:
        click.echo(f"{view.projection}: {_described(view)}")
        for difference in kernel.comparison.samples(view.projection):
            click.echo(f"    {difference}")
    if any(each.differences is None or each.differences for each in found):
        raise click.exceptions.Exit(1)


def _act(command: Callable[[str], Command], names: Sequence[str]) -> None:
    """Send one command for each of the projections, and carry them out. Stops at a refusal."""
    with in_shell_words(click.get_current_context()):
        for name in known(names):
            kernel.commands.execute(command(name), Context(actor=owner(), channel=CHANNEL))
    kernel.runner.advance(CONTROL)


def _report(names: Sequence[str], state: str, sentence: str) -> None:
    """Print what came of it; status 1 if it was not carried out."""
    found = {each.projection: each for each in _generations(names)}
    for name in names:
        if found[name].state != state:
            raise click.ClickException(found[name].problem or f"{name} was not changed.")
        click.echo(sentence.format(name, name))


_UNFINISHED = ("building", "comparing")


def _generations(names: Sequence[str] | None = None) -> list[GenerationView]:
    context = QueryContext(actor=owner(), cached=False)
    found = kernel.queries.ask(GenerationList(), context).value
    return [each for each in found if names is None or each.projection in names]


def _described(view: GenerationView) -> str:
    """One line about rows beside the live ones."""
    text = view.state
    if view.state == "building":
        text += f", {view.position:,} of {view.live_position:,} events"
        if view.rate and view.seconds_left is not None:
            text += f", {view.rate:,.0f} per second, {view.seconds_left:,.0f} s left"
    elif view.compared_at is not None:
        text += (
            f", {view.compared_rows:,} rows compared at position {view.compared_position:,}, "
            f"{view.differences:,} differ"
        )
    return text + (f". {view.problem}" if view.problem else "")
