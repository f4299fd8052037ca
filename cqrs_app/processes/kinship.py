"""What ties a child process to the one that started it, so that none is ever left behind.

Linux can do all of it; elsewhere the parts that are missing are left out.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TypeVar, cast

from setproctitle import setproctitle

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# A terminal sends these to every process of the group at once. Only the supervisor takes them,
# so that it can stop its children in order; a child that does not see them ends by SIGTERM.
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

# What StopSwitch handles, and what a child must not handle in the same way.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")

_fork = multiprocessing.get_context("fork")
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


def fork(name: str, run: Callable[[], object]) -> ForkProcess:
    """A child process that does `run` under `name`, bound to this one, which must have one thread.

    Nothing registered with `atexit` runs in it.
    """
    bind = bound_to_parent()

    def child() -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        bind()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        setproctitle(f"countersign: {name}")
        run()

    process = _fork.Process(target=child)
    # Until the child has handlers to itself, a signal must not be handled as in its parent.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def call_in_child(name: str, function: Callable[[], T]) -> T:
    """What `function` returns or raises, called in a child process: the memory that it takes, its
    threads and its connections end with that. Raises ChildProcessError where the child ended
    before it was done."""
    receiver, sender = _fork.Pipe(duplex=False)
    child = fork(name, partial(_send_outcome, sender, function))
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        child.join()
        raise ChildProcessError(f"{name} {how_it_ended(child.exitcode or 0)}") from None
    except BaseException:
        child.kill()
        raise
    finally:
        child.join()
        receiver.close()
    if error is not None:
        raise error
    return cast("T", result)


def _send_outcome(sender: Connection, function: Callable[[], object]) -> None:
    try:
        result = function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the parent raises it
        sender.send((None, error))
    else:
        sender.send((result, None))


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
