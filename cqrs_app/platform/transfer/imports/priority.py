"""An import gives way to pages: it wants a processor for minutes, they want one for moments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOWER_BY = 10
"""Steps of `nice`. With ten, an import gets a tenth of a processor that pages want, and all of an
idle one."""


@contextmanager
def lower_priority() -> Iterator[None]:
    """Run the block with a lower priority of this thread (on macOS, of this process). Going back at
    the end needs a privilege; without it, the priority stays."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, min(before + LOWER_BY, 19))
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, before)
