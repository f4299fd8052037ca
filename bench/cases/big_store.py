"""A large event store: the cost of a command, of reading a stream, and of following the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.case import Sides
from bench.rounds import Plan, median_ms
from bench.seeds.big_store import STEPS, filled

SMALL = 10_000
BIG = 10_000_000
BIG_IF_QUICK = 100_000
SIZES = f"ms; {BIG:,} events, with --quick {BIG_IF_QUICK:,}, against {SMALL:,}"


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """One command, one read of a stream of 20 events, and one read of 500 events from the middle of
    the log. Streams are chosen at random from the whole store."""
    big = BIG_IF_QUICK if plan.quick else BIG
    with filled(database, SMALL) as small, filled(database, big) as large:
        yield {
            f"{name}, {size}": median_ms(step)
            for size, steps in (("small", small), ("big", large))
            for name, step in zip(STEPS, steps, strict=True)
        }
