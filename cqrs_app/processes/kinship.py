"""What ties a child process to the one that started it, so that none is ever left behind.

Linux can do all of it; elsewhere the parts that are missing are left out.
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

# A terminal sends these to every process of the group at once. Only the supervisor takes them,
# so that it can stop its children in order; a child that does not see them ends by SIGTERM.
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Make grandchildren whose parent dies children of this process."""
    if _libc is not None and _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def bound_to_parent() -> Callable[[], None]:
    """A `preexec_fn`: the child gets SIGTERM when this process dies, even by SIGKILL."""
    parent = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:  # it died before the line above took effect
                os._exit(1)

    return prepare


def children() -> set[int]:
    """Process ids of all direct children of this process, adopted ones included (Linux)."""
    found = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return {int(pid) for pid in found.read_text().split()}
    except FileNotFoundError:  # another system, or a kernel without CONFIG_PROC_CHILDREN
        return set()


def reap(pid: int) -> bool:
    """Take the exit status of child `pid` if it has ended; whether it is gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def kill_and_reap(pids: set[int]) -> None:
    """End children at once and take their exit status."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue  # it ended by itself, which is what was wanted


def how_it_ended(status: int) -> str:
    """An exit status as people say it: "ended with status 3", "was killed by SIGKILL"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
