"""Temporary folders for files that are read in. They hold personal data, so one that a killed
process left is removed as well."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

PREFIX = "countersign-import-"
YOUNG_SECONDS = 60.0
"""A folder that was made since may not be locked yet."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of this process alone, locked for as long as it is used."""
    with TemporaryDirectory(prefix=PREFIX) as name:
        held = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(held)


def remove_abandoned() -> None:
    """Remove the folders on this host that no process holds."""
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # it is somebody else's, in use, or gone by now
            _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    """Raises OSError if it is in use or cannot be opened."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        about = os.fstat(held)
        if about.st_uid == os.getuid() and about.st_mtime < time.time() - YOUNG_SECONDS:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    finally:
        os.close(held)
