"""`flask projections`: list, rebuild, catch up."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from cqrs_app.services import kernel

name_argument = click.argument("name")


@click.group()
def projections() -> None:
    """Look after the read models, and whatever else follows the log."""


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


@projections.command()
@name_argument
@with_appcontext
def rebuild(name: str) -> None:
    """Replay every event into NAME. Pages show the old rows until the new ones are complete."""
    known(name)
    kernel.runner.prepare()
    total = max(kernel.store.head(), 1)
    with click.progressbar(length=total, label=f"Rebuilding {name}", show_pos=True) as bar:

        def progress(done: int, everything: int) -> None:
            bar.length = everything
            bar.update(done - bar.pos)

        taken = kernel.runner.rebuild(name, progress)
    click.echo(f"{name} holds {taken} events.")


@projections.command("catch-up")
@with_appcontext
def catch_up() -> None:
    """Bring every subscription up to date in this process."""
    kernel.runner.prepare()
    for name in kernel.registry.subscriptions:
        click.echo(f"{name}: {kernel.runner.advance(name)} events")


def known(name: str) -> None:
    """Raises UsageError if there is no projection of this name."""
    if name not in kernel.registry.projections:
        names = ", ".join(sorted(kernel.registry.projections))
        raise click.UsageError(f"There is no projection called {name}. There are: {names}.")
