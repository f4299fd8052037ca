"""The background processes that `flask up` supervises; on other hosts they are started alone."""

from __future__ import annotations

import logging
from functools import partial

import click
from flask import current_app
from flask.cli import with_appcontext

from cqrs_app.extensions import kernel
from cqrs_app.imports import background
from cqrs_app.sweep import PATIENCE_SECONDS, Sweep, run_sweep
from cqrs_app.webhooks.dispatcher import WORKER, Dispatcher
from cqrs_app.webhooks.wake_ups import QUEUE
from cqrs_app.worker import run_worker


@click.command()
@with_appcontext
def worker() -> None:
    """Answer wake-ups until told to stop."""
    _log_to_stderr()
    settings = current_app.extensions["settings"]
    kernel.runner.prepare()
    run_worker(current_app.extensions["redis_url"], settings.worker_max_jobs, kernel.presence)


@click.command()
@with_appcontext
def webhook_worker() -> None:
    """Deliver webhooks until told to stop."""
    _log_to_stderr()
    settings = current_app.extensions["settings"]
    kernel.runner.prepare()
    run_worker(
        current_app.extensions["redis_url"],
        settings.worker_max_jobs,
        kernel.presence,
        queue=QUEUE,
        kind=WORKER,
    )


@click.command()
@with_appcontext
def sweep() -> None:
    """Do what lost wake-ups left undone, until told to stop."""
    _log_to_stderr()
    settings = current_app.extensions["settings"]
    kernel.runner.prepare()
    webhooks: Dispatcher = current_app.extensions["webhooks"]
    work = Sweep(
        kernel,
        duties=(
            partial(webhooks.look_after, PATIENCE_SECONDS),
            partial(background.start_due, kernel),
        ),
        housekeeping=(partial(background.forget_old, kernel),),
    )
    run_sweep(work, settings.sweep_seconds)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
