"""The background processes that `flask up` supervises; on other hosts they are started alone."""

from __future__ import annotations

import logging
from functools import partial

import click
from flask.cli import with_appcontext

from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.processes.sweep import Sweep, run_sweep
from cqrs_app.processes.worker import run_worker
from cqrs_app.services import kernel, services


def worker(verb: str, kind: str) -> click.Command:
    """The verb that starts this kind of worker, such as `flask payment-worker`."""
    tasks = [task.name for task in kernel.registry.workers()[kind]]
    names = ", ".join(["subscriptions"] * (kind == WORKER) + tasks)
    return click.Command(
        verb,
        callback=with_appcontext(partial(_work, kind)),
        help=f"Answer wake-ups until told to stop. Work: {names}.",
    )


@click.command()
@with_appcontext
def sweep() -> None:
    """Do what lost wake-ups left undone, until told to stop."""
    _log_to_stderr()
    kernel.runner.prepare()
    run_sweep(Sweep(kernel), services.settings.sweep_seconds)


def _work(kind: str) -> None:
    _log_to_stderr()
    kernel.runner.prepare()
    run_worker(
        services.redis_url,
        services.settings.worker_max_jobs,
        kernel.presence,
        queue=kernel.wake_ups.queue(kind).name,
        kind=kind,
    )


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
