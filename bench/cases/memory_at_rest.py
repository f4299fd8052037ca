"""How much memory the processes of `bin/run` hold when nothing is asked of them.

Resident memory counts what processes share in each of them; the proportional one (PSS) divides it
among them, so that only its sum says how much the machine has to have.
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
    """Of each kind the biggest process."""
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
