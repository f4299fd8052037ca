"""The background processes, forked by the supervisor or started with `flask`."""

from __future__ import annotations

from cqrs_app import logs
from cqrs_app.kernel.subscriptions.presence import SWEEP
from cqrs_app.processes.sweep import Sweep, run_sweep
from cqrs_app.processes.worker import run_worker
from cqrs_app.services import Services


def work(services: Services, kind: str) -> None:
    """Run a worker of this kind until it is stopped, or has done as many jobs as the settings
    say."""
    kernel = services.kernel
    _prepare(services, kind)
    try:
        run_worker(
            services.redis_url,
            services.settings.worker_max_jobs,
            kernel.presence,
            kernel.recorder,
            kernel.statistics,
            queue=kernel.wake_ups.queue(kind).name,
            kind=kind,
        )
    finally:
        services.close()


def sweep(services: Services) -> None:
    """Run the sweep until it is stopped."""
    _prepare(services, SWEEP)
    try:
        run_sweep(Sweep(services.kernel), services.settings.sweep_seconds)
    finally:
        services.close()


def _prepare(services: Services, kind: str) -> None:
    logs.configure(services.settings)
    services.kernel.recorder.process = kind
    services.kernel.runner.prepare()
