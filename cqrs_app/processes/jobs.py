"""The only entry points of RQ jobs. They carry names, not data: see the kernel's wake_ups.py."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rq.job import Job

from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.reporting import reporting
from cqrs_app.services import kernel


def advance(*subscriptions: str) -> None:
    """Advance these subscriptions, one after the other."""
    for name in subscriptions:
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
    kernel.tasks[task].answer(key)


ALLOWED = {f"{__name__}.{function.__name__}" for function in (advance, run_command, work)}


class AllowedJob(Job):
    """Runs only the functions above, whatever is stored in Redis."""

    def perform(self) -> Any:
        if self.func_name not in ALLOWED:
            raise PermissionError(f"{self.func_name} is not a job of this product")
        name = self.func_name.rpartition(".")[2]
        return reporting(kernel.report, name, self.func)(*self.args, **self.kwargs)
