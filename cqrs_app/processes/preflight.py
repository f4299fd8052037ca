"""Checks before the console starts. Each failure is one sentence that says what to do."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import IO


class CannotStart(Exception):
    """The console cannot start. The text says why and what to change."""


def claim_data_folder(folder: Path) -> IO[str]:
    """Create `folder`, check that it is writable and lock it until the returned file is closed.

    The operating system releases the lock when the process ends, so it never becomes stale.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise CannotStart(
            f"The data folder {folder} cannot be written ({error.strerror}). "
            f"Set DATA_DIR to a folder you may write to."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise CannotStart(
            f"Another copy already runs on the data folder {folder}. "
            f"Stop it, or set DATA_DIR to another folder."
        ) from error
    # A child process that outlives this one must not keep the next console from starting.
    os.register_at_fork(after_in_child=lock.close)
    return lock


def is_claimed(folder: Path) -> bool:
    """Whether a supervisor, or a verb that needs the data folder for itself, has locked it."""
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def require_free_port(host: str, port: int, patience: float = 2.0) -> None:
    """Raise CannotStart if the port cannot be used.

    A port in use is tried again for `patience` seconds: a console that was just killed may still
    hold it.
    """
    if not 1 <= port <= 65535:
        raise CannotStart(f"PORT is {port}; set it to a number from 1 to 65535.")
    deadline = time.monotonic() + patience
    while (error := _listen_error(host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise CannotStart(
                f"Cannot listen on port {port} of {host} ({error.strerror}). "
                f"Set HOST and PORT to an address you may use."
            ) from error
        if time.monotonic() > deadline:
            raise CannotStart(
                f"Port {port} on {host} is already in use. Set PORT to another one."
            ) from error
        time.sleep(0.1)


def _listen_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # Like the web server: a recently closed connection does not make a port busy.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error
    return None
