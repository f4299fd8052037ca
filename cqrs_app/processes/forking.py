"""Child processes that start with everything this process has loaded, and share its memory."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import TypeVar, cast

from setproctitle import setproctitle

from cqrs_app.processes.kinship import bound_to_parent, how_it_ended

# Handled by StopSwitch in the parent. A child must not inherit those handlers.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")

_context = multiprocessing.get_context("fork")


def fork(name: str, run: Callable[[], object]) -> ForkProcess:
    """Fork a child process that runs `run` under `name` and ends with its parent, which must have
    only one thread.

    Functions registered with `atexit` do not run in it.
    """
    bind = bound_to_parent()

    def child() -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        bind()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        setproctitle(f"countersign: {name}")
        run()

    process = _context.Process(target=child)
    # Until the child has reset its handlers, it must not handle a signal like its parent.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def call_in_child(name: str, function: Callable[[], T]) -> T:
    """Call `function` in a child process, and return or raise what it does. Its memory, threads and
    connections end with the child. Raises ChildProcessError if the child ended early."""
    receiver, sender = _context.Pipe(duplex=False)
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
