"""The background processes that `flask up` supervises; on other hosts they are started alone."""

from __future__ import annotations

import logging
from functools import partial

import click
from flask import current_app
from flask.cli import with_appcontext

from cqrs_app.areas.payments.duty import REQUESTS
from cqrs_app.extensions import kernel
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.kernel.subscriptions.wake_ups import Duty
from cqrs_app.platform.transfer.imports import background
from cqrs_app.platform.webhooks.duty import DELIVERIES
from cqrs_app.processes.sweep import PATIENCE_SECONDS, Sweep, run_sweep
from cqrs_app.processes.worker import run_worker


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
    _work_for(DELIVERIES)


@click.command()
@with_appcontext
def payment_worker() -> None:
    """Ask payment gateways until told to stop."""
    _work_for(REQUESTS)


@click.command()
@with_appcontext
def sweep() -> None:
    """Do what lost wake-ups left undone, until told to stop."""
    _log_to_stderr()
    settings = current_app.extensions["settings"]
    kernel.runner.prepare()
    dispatchers: list[Dispatcher] = [
        current_app.extensions[name] for name in ("fulfilment", "webhooks", "payments")
    ]
    work = Sweep(
        kernel,
        duties=(
            *(partial(each.look_after, PATIENCE_SECONDS) for each in dispatchers),
            partial(background.start_due, kernel),
        ),
        housekeeping=(partial(background.forget_old, kernel),),
    )
    run_sweep(work, settings.sweep_seconds)


def _work_for(duty: Duty) -> None:
    _log_to_stderr()
    settings = current_app.extensions["settings"]
    kernel.runner.prepare()
    run_worker(
        current_app.extensions["redis_url"],
        settings.worker_max_jobs,
        kernel.presence,
        queue=duty.queue,
        kind=duty.worker,
    )


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
