"""Starts real processes and checks what they leave behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from cqrs_app.processes.kinship import TERMINAL_SIGNALS, bound_to_parent
from cqrs_app.settings import Settings
from tests.processes.prepared import PreparedProgram

PROJECT = Path(__file__).resolve().parents[2]
_LATER = datetime.now(UTC) + timedelta(hours=10)
NOT_NOW = f"{_LATER:%H}:00-{_LATER:%H}:30"
"""RECONCILE_WINDOW in tests, so that sweeps do not begin to reconcile if tests run at night."""
FLASK = (sys.executable, "-m", "flask", "--app", "app")
OURS = {"PYTHON", "ADMIN_NAME", "ADMIN_PASSWORD"} | {
    field.name.upper() for field in dataclasses.fields(Settings)
}
"""Settings of a developer's own console must not affect the ones under test."""


def clean_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any console settings, plus `changes`."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    ours = {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", "RECONCILE_WINDOW": NOT_NOW}
    return {**kept, **ours, **changes}


def start(
    *command: str | Path, environment: Mapping[str, str], **options: Any
) -> subprocess.Popen[str]:
    """A process that gets SIGTERM when this one dies, even if it is killed. A Python program is a
    fork of a process that has loaded the product."""
    if command[0] == sys.executable:
        given = {"cwd": PROJECT, **options}
        return PreparedProgram(command, env=clean_environment(environment), text=True, **given)
    return subprocess.Popen(
        command,
        env=clean_environment(environment),
        text=True,
        preexec_fn=_prepared(),  # noqa: PLW1509 - it touches no lock that a thread may hold
        **{"cwd": PROJECT, **options},
    )


def _prepared() -> Callable[[], None]:
    bind = bound_to_parent()

    def prepare() -> None:
        bind()
        # A shell makes background processes ignore Ctrl-C, and child processes inherit that.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL_SIGNALS)

    return prepare


@contextmanager
def running(*command: str | Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process with its output in a pipe. It and its descendants are ended at the end."""
    process = start(
        *command,
        environment=environment,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    known: dict[int, psutil.Process] = {}
    try:
        yield process
    finally:
        known.update({child.pid: child for child in family(process.pid)})
        process.kill()
        process.wait()
        for child in known.values():
            if child.is_running():
                child.kill()
        if process.stdout:
            process.stdout.close()


def family(pid: int) -> list[psutil.Process]:
    """All living descendants of a process."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def ended(processes: list[psutil.Process], patience: float = 60.0) -> bool:
    """Whether all of these are gone within `patience` seconds."""
    return eventually(lambda: not any(alive(process) for process in processes), patience)


def alive(process: psutil.Process) -> bool:
    """Whether it is running. A zombie is not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], patience: float = 60.0) -> bool:
    """Whether `holds()` becomes true within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """The output up to and including the line with `words`; fails if it ends before."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} never came; what came was:\n{''.join(lines)}")


def stop(process: subprocess.Popen[str], how: int = signal.SIGTERM, patience: float = 30.0) -> str:
    """Send a signal, wait for the end, and return the rest of the output."""
    process.send_signal(how)
    rest, _ = process.communicate(timeout=patience)
    return rest


def run_flask(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `flask WORDS` to its end."""
    with start(
        *(*FLASK, *words),
        environment=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` to its end, in a new interpreter."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=clean_environment(environment),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    """A port that is not in use at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
