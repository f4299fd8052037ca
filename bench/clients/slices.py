"""A process that works in slices: for each line `run SECONDS` it answers a rate per second.

Needs nothing but the standard library, so that programs of other environments can use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench.rounds import rate


def serve(step: Callable[[], object]) -> None:
    """Say `ready`, then repeat `step` for as long as each line says, until the input ends."""
    work = rate(step)
    print("ready", flush=True)
    for line in sys.stdin:
        word, seconds = line.split()
        assert word == "run", line
        print(work(float(seconds)), flush=True)
