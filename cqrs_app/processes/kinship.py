"""Ties child processes to their parent, so that none is left behind.

Linux supports all of it. Elsewhere the unsupported parts are skipped.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# A terminal sends these to all processes of the group. Only the supervisor handles them, so that it
# can stop its children in order with SIGTERM.
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent dies."""
    if _libc is not None and _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def bound_to_parent() -> Callable[[], None]:
    """A `preexec_fn`: the child gets SIGTERM when this process dies, even by SIGKILL."""
    parent = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:  # the parent died before the line above took effect
                os._exit(1)

    return prepare


def children() -> set[int]:
    """The ids of all direct child processes, including adopted ones (Linux)."""
    found = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return {int(pid) for pid in found.read_text().split()}
    except FileNotFoundError:  # another system, or a kernel without CONFIG_PROC_CHILDREN
        return set()


def reap(pid: int) -> bool:
    """Collect the exit status of child `pid` if it has ended; returns whether it is gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def kill_and_reap(pids: set[int]) -> None:
    """Kill children and collect their exit status."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue  # it has already ended


def how_it_ended(status: int) -> str:
    """Describe an exit status: "ended with status 3", "was killed by SIGKILL"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
