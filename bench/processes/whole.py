"""Every process of a console that `bin/run` has started, on stores of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.processes.web import free_port
from tests.processes.running import PROJECT, clean_environment, read_until

Processes = dict[str, list[psutil.Process]]
"""By kind, as in KINDS."""

KINDS = {
    "worker": "worker",
    "webhook-worker": "webhook worker",
    "payment-worker": "payment worker",
    "sweep": "sweep",
    "app:app": "web server",
}
"""The last word of a command line, and what such a process is called; a payment worker runs only
where a gateway is set up."""


@contextmanager
def running() -> Iterator[Processes]:
    """The console with its default settings, an embedded Redis and the demo shop, once it is
    ready."""
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "cqrs_app"],
            cwd=PROJECT,
            env=clean_environment({"DATA_DIR": folder, "PORT": str(free_port())}),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            read_until(process, "is ready at")
            yield _by_kind(psutil.Process(process.pid))
        finally:
            process.terminate()
            process.communicate()


def _by_kind(supervisor: psutil.Process) -> Processes:
    found: Processes = {"supervisor": [supervisor]}
    for child in supervisor.children(recursive=True):
        name = "Redis" if "redis" in child.name() else KINDS[child.cmdline()[-1]]
        found.setdefault(name, []).append(child)
    return found
