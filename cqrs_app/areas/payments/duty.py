"""Asking gateways as a duty of workers: see kernel/wake_ups.py."""

from __future__ import annotations

from cqrs_app.kernel.subscriptions.wake_ups import Duty

REQUESTS = Duty(
    what="gateway request",
    queue="countersign-payments",
    job="cqrs_app.processes.jobs.ask_gateway",
    worker="payment worker",
)
