"""Which projections a verb is about, and their rebuild with its progress."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.projections.snapshots import Snapshot
from cqrs_app.services import kernel


def known(names: Sequence[str]) -> Sequence[str]:
    """The names without repetitions. Raises UsageError for one that is no projection's."""
    for name in names:
        if name not in kernel.registry.projections:
            known = ", ".join(sorted(kernel.registry.projections))
            raise click.UsageError(f"There is no projection called {name}. There are: {known}.")
    return tuple(dict.fromkeys(names))


def chosen(names: Sequence[str], *, every: bool, outdated: bool) -> Sequence[str]:
    if every:
        return tuple(kernel.registry.projections)
    if not outdated:
        if not names:
            raise click.UsageError("Name a projection, or choose --all or --outdated.")
        return known(names)
    cursors = kernel.runner.cursors("read")
    found = [
        name
        for name, projection in kernel.registry.projections.items()
        if name in cursors and kernel.runner.outdated(cursors[name], projection)
    ]
    if not found:
        click.echo("No projection has rows of another release.")
    return found


def rebuild_in_place(name: str, start: Snapshot | None = None) -> None:
    total = max(kernel.store.head(), 1)
    with click.progressbar(length=total, label=f"Rebuilding {name}", show_pos=True) as bar:

        def progress(done: int, everything: int) -> None:
            bar.length = everything
            bar.update(done - bar.pos)

        taken = kernel.runner.rebuild(name, progress, start)
    click.echo(f"{name} holds {counted(taken, 'event')}.")
