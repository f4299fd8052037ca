"""All processes of a console started by `bin/run`, on its own stores."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.processes.web import free_port
from tests.processes.running import PROJECT, clean_environment, read_until

Processes = dict[str, list[psutil.Process]]
"""Kind, as in KINDS -> processes."""

KINDS = ("webhook worker", "payment worker", "gunicorn", "worker", "sweep", "web server")
"""Words in the titles of processes. A payment worker runs only if a gateway is configured."""

REST_SECONDS = 5.0


@contextmanager
def running() -> Iterator[Processes]:
    """An idle console with default settings, an embedded Redis and the demo shop."""
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
            time.sleep(REST_SECONDS)
            yield _by_kind(psutil.Process(process.pid))
        finally:
            process.terminate()
            process.communicate()


def _by_kind(supervisor: psutil.Process) -> Processes:
    found: Processes = {"supervisor": [supervisor]}
    for child in supervisor.children(recursive=True):
        title = " ".join(child.cmdline()).lower()
        name = "Redis" if "redis" in title else next(kind for kind in KINDS if kind in title)
        found.setdefault("web server" if name == "gunicorn" else name, []).append(child)
    return found
