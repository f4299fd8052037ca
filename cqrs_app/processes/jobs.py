"""The only entry points of RQ jobs. They carry names, not data; see kernel/doorbell.py."""

from __future__ import annotations

from typing import Any

from flask import current_app
from rq.job import Job

from cqrs_app.extensions import kernel
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.kernel.subscriptions.doorbell import answered
from cqrs_app.platform.transfer.imports.background import start


def advance(*projections: str) -> None:
    """Bring these projections up to date, one after the other."""
    for projection in projections:
        # Cleared before the log is read: a commit from now on rings again.
        answered(kernel.redis, projection)
        kernel.runner.advance(projection)


def run_command(command_id: str) -> None:
    """Carry out one queued command."""
    try:
        kernel.commands.run_queued(command_id)
    except BusError:
        # Refused: the command log says so, which is where the operator looks.
        return


def run_import(import_id: str) -> None:
    """Have an uploaded file taken in, by a process beside this worker."""
    start(kernel, import_id)


def deliver(webhook_id: str) -> None:
    """Send one webhook what is due."""
    dispatcher: Dispatcher = current_app.extensions["webhooks"]
    dispatcher.answer(webhook_id)


def ask_gateway(request_key: str) -> None:
    """Ask a payment gateway for one request."""
    dispatcher: Dispatcher = current_app.extensions["payments"]
    dispatcher.answer(request_key)


def follow_orders(name: str) -> None:
    """See the orders on their way through."""
    dispatcher: Dispatcher = current_app.extensions["fulfilment"]
    dispatcher.answer(name)


_JOBS = (advance, run_command, run_import, deliver, ask_gateway, follow_orders)
ALLOWED = {f"{__name__}.{function.__name__}" for function in _JOBS}


class AllowedJob(Job):
    """Runs nothing but the functions above, whatever someone has written into Redis."""

    def perform(self) -> Any:
        if self.func_name not in ALLOWED:
            raise PermissionError(f"{self.func_name} is not a job of this product")
        return self.func(*self.args, **self.kwargs)
