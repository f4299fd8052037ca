"""The only entry points of RQ jobs. They carry names, not data: see the kernel's wake_ups.py."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rq.job import Job

from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.reporting import reporting
from cqrs_app.services import kernel

UNKNOWN = "left a job to others: there is no %s %s in this release, with these areas"
"""Hosts that are upgraded one after the other share a queue. The sweep of a host that knows it sees
that the work is due."""

logger = logging.getLogger(__name__)


def advance(*subscriptions: str) -> None:
    """Advance these subscriptions, one after the other."""
    for name in subscriptions:
        if name not in kernel.registry.subscriptions:
            logger.warning(UNKNOWN, "subscription", name)
            continue
        # Before the log is read, so that a commit from now on wakes a worker again.
        kernel.wake_ups.advanced(name)
        reporting(kernel.report, name, kernel.runner.advance)(name)


def run_command(command_id: str) -> None:
    """Carry out the queued commands of this command's stream until none is left."""
    done: object = command_id
    while done is not None:
        # A refusal is recorded in the command log, where operators look for it.
        with suppress(BusError):
            done = kernel.commands.run_queued(command_id)


def work(task: str, key: str) -> None:
    """Do the due work for one key of a background task."""
    if task not in kernel.tasks:
        logger.warning(UNKNOWN, "background task", task)
        return
    kernel.tasks[task].answer(key)


ALLOWED: dict[str, Callable[..., None]] = {
    f"{__name__}.{function.__name__}": function for function in (advance, run_command, work)
}


class AllowedJob(Job):
    """Runs only the functions above, whatever is stored in Redis: RQ would import any function that
    a job names, also as a callback, which its registries call for jobs that were abandoned."""

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in ALLOWED or self.instance is not None:
            raise PermissionError(f"{self.func_name} is not a job of this product")
        return ALLOWED[self.func_name]

    @property
    def success_callback(self) -> Any:
        """None, like those below."""
        return self._refused_callback("success")

    @property
    def failure_callback(self) -> Any:
        return self._refused_callback("failure")

    @property
    def stopped_callback(self) -> Any:
        return self._refused_callback("stopped")

    def _refused_callback(self, kind: str) -> None:
        if getattr(self, f"_{kind}_callback_name"):
            logger.warning("job %s names a %s callback, which is not called", self.id, kind)

    def perform(self) -> Any:
        function = self.func
        return reporting(kernel.report, function.__name__, function)(*self.args, **self.kwargs)
