"""A process that works in slices: for each line `run SECONDS` it prints a rate per second.

It needs only the standard library, so that programs of other environments can use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench.rounds import rate


def serve(step: Callable[[], object]) -> None:
    """Print `ready`, then repeat `step` for the duration on each line, until the input ends."""
    work = rate(step)
    print("ready", flush=True)
    for line in sys.stdin:
        word, seconds = line.split()
        assert word == "run", line
        print(work(float(seconds)), flush=True)
