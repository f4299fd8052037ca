"""The console's background processes, started like `flask up` starts them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from flask import Flask

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.presence import seen
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.processes.running import PROJECT, eventually

WORKERS = 2
"""The product's default."""


@contextmanager
def started(app: Flask, *commands: str, **environment: str) -> Iterator[list[psutil.Process]]:
    """Run `flask COMMAND` for each command on the stores of `app`, and wait until all have
    reported."""
    settings = {"PYTHONUNBUFFERED": "1", **environment}
    with module(app, [("flask", "--app", "app", each) for each in commands], settings) as found:
        kernel: Kernel = services_of(app).kernel
        wanted = len(commands)
        assert eventually(lambda: _living(kernel) >= wanted, 60), "a process did not start"
        yield found


@contextmanager
def module(
    app: Flask, commands: list[tuple[str, ...]], environment: dict[str, str]
) -> Iterator[list[psutil.Process]]:
    """Run `python -m ...` for each of these, and terminate them at the end."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", *each],
            cwd=PROJECT,
            env=environment_of(app, **environment),
        )
        for each in commands
    ]
    try:
        yield [psutil.Process(each.pid) for each in running]
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait()


def _living(kernel: Kernel) -> int:
    with kernel.engines.write.connect() as connection:
        return sum(each.alive for each in seen(connection, kernel.clock()))


def settle(kernel: Kernel, patience: float = 60.0) -> None:
    """Wait until every projection has processed every event."""
    assert eventually(lambda: not kernel.runner.behind(), patience), "the workers do not keep up"
    time.sleep(0.2)


def megabytes(processes: list[psutil.Process]) -> float:
    """The resident memory of the biggest process, in MB."""
    return max(each.memory_info().rss for each in processes) / 1e6
