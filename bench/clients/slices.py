"""A process that works in slices: for each line `run SECONDS` it prints a figure, mostly a rate.

It needs only the standard library, so that programs of other environments can use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench.rounds import Slice, rate


def serve(step: Callable[[], object]) -> None:
    """Repeat `step` for the duration on each line; the figure is the rate per second."""
    serve_slices(rate(step))


def serve_slices(work: Slice) -> None:
    """Print `ready`, then run a slice for each line, until the input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        word, seconds = line.split()
        assert word == "run", line
        print(work(float(seconds)), flush=True)
