"""Runs Python programs in forks of one process that has loaded the product.

A new interpreter would spend most of its time on imports. Programs that a test is about the start
or the memory of do not belong here.
"""

from __future__ import annotations

import ctypes
import gc
import inspect
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cqrs_app.processes.kinship import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, bound_to_parent

LIMIT = 1024 * 1024
"""Bytes of a request: arguments, environment and folder of a program."""


class PreparedProgram(subprocess.Popen[str]):
    """`python -m ...` or `python -c ...` as a fork. It is a child of this process, like any other,
    and gets SIGTERM when this one dies."""

    def _execute_child(self, *arguments: Any) -> None:
        base = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]
        given = base.bind(self, *arguments).arguments
        pipes = [
            (given["p2cread"], given["p2cwrite"]),
            (given["c2pwrite"], given["c2pread"]),
            (given["errwrite"], given["errread"]),
        ]
        files = [number if theirs == -1 else theirs for number, (theirs, _) in enumerate(pipes)]
        command = [str(each) for each in given["args"][1:]]
        program = {
            "command": command,
            "environment": dict(given["env"]),
            "folder": str(given["cwd"]),
        }
        self.pid = _server().fork(json.dumps(program).encode(), files)
        self._child_created = True
        for theirs, ours in pipes:
            if ours != -1:
                os.close(theirs)
        if (devnull := getattr(self, "_devnull", None)) is not None:
            os.close(devnull)
        self._closed_child_pipe_fds = True


class _Server:
    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                pass_fds=[theirs.fileno()],
                preexec_fn=bound_to_parent(),  # noqa: PLW1509 - it touches no lock
            )

    def fork(self, program: bytes, files: list[int]) -> int:
        """The id of a new child process of this one, which runs the program."""
        with self._lock, _adopting():
            socket.send_fds(self._requests, [program], files)
            if not (pid := self._requests.recv(20)):
                raise RuntimeError("The process that programs are forked from has ended.")
            return int(pid)


@cache
def _server() -> _Server:
    return _Server()


@contextmanager
def _adopting() -> Iterator[None]:
    """Meanwhile, the orphans of a child process become children of this one."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def serve(requests: socket.socket) -> dict[str, Any]:
    """Fork for each request. In a fork, returns the program that it is to run."""
    owner = os.getppid()
    while True:
        program, files, _, _ = socket.recv_fds(requests, LIMIT, 3)
        if not program:
            sys.exit()
        if between := os.fork():
            os.waitpid(between, 0)
            for each in files:
                os.close(each)
            continue
        between = os.getpid()
        if os.fork():
            os._exit(0)
        while os.getppid() == between:
            time.sleep(0.0005)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != owner:
            os._exit(1)
        requests.send(str(os.getpid()).encode())
        requests.close()
        for number, each in enumerate(files):
            os.dup2(each, number)
            os.close(each)
        found: dict[str, Any] = json.loads(program)
        return found


def run(program: dict[str, Any]) -> None:
    """What the interpreter does with its arguments."""
    os.environ.clear()
    os.environ.update(program["environment"])
    os.chdir(program["folder"])
    kind, what, *arguments = program["command"]
    sys.argv = [what if kind == "-m" else kind, *arguments]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"].__dict__
        exec(compile(what, "<string>", "exec"), main)  # noqa: S102 - a test's own program


def load_product() -> None:
    """Import everything, and compose an application once, which fills what is kept per process."""
    from cqrs_app import create_app
    from cqrs_app.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        create_app(
            Settings(data_dir=Path(folder), secret_key="x", personal_data_key="x").resolved()
        )


if __name__ == "__main__":
    # As `python` has them: a test run in the background may ignore them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    load_product()
    gc.collect()
    gc.freeze()
    run(serve(socket.socket(fileno=int(sys.argv[1]))))
