"""Deliveries as a duty of workers: see kernel/wake_ups.py."""

from __future__ import annotations

from cqrs_app.kernel.subscriptions.wake_ups import Duty

DELIVERIES = Duty(
    what="webhook",
    queue="countersign-webhooks",
    job="cqrs_app.processes.jobs.deliver",
    worker="webhook worker",
)
