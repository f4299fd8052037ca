"""The memory of the processes of `bin/run` when the console is idle.

Resident memory counts shared memory in each process. Proportional memory (PSS) divides it among
them, so only its sum tells how much the machine needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from bench.case import Sides
from bench.processes import whole
from bench.rounds import Plan


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """The biggest process of each kind."""
    with whole.running() as processes:
        everyone = [each for found in processes.values() for each in found]
        yield {
            **{kind: partial(_biggest, found) for kind, found in processes.items()},
            "resident, all": partial(_sum, everyone, "rss"),
            "proportional, all": partial(_sum, everyone, "pss"),
        }


def _biggest(processes: list[psutil.Process], seconds: float) -> float:
    return max(each.memory_info().rss for each in processes) / 1e6


def _sum(processes: list[psutil.Process], kind: str, seconds: float) -> float:
    return float(sum(getattr(each.memory_full_info(), kind) for each in processes)) / 1e6
