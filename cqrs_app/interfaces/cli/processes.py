"""The background processes that `flask up` supervises; on other hosts they are started alone."""

from __future__ import annotations

from functools import partial

import click
from flask.cli import with_appcontext

from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.processes import background
from cqrs_app.services import kernel, services


def worker(verb: str, kind: str) -> click.Command:
    """The verb that starts this kind of worker, such as `flask payment-worker`."""
    tasks = [task.name for task in kernel.registry.workers()[kind]]
    names = ", ".join(["subscriptions"] * (kind == WORKER) + tasks)
    return click.Command(
        verb,
        callback=with_appcontext(partial(background.work, services, kind)),
        help=f"Answer wake-ups until told to stop. Work: {names}.",
    )


@click.command()
@with_appcontext
def sweep() -> None:
    """Do what lost wake-ups left undone, until told to stop."""
    background.sweep(services)
