"""`bin/bench`: measure, print a table, and count the targets met."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator

from bench import growth, product
from bench.case import Case, Line, Unavailable
from bench.cases import CASES
from bench.rounds import Plan, measure
from bench.soak import run as soak
from bench.table import Tally, head, machine

QUICK = Plan(rounds=3, seconds=0.3, quick=True)
WHOLE = Plan(rounds=15, seconds=0.5, quick=False)


def main() -> int:
    """Returns 0 even if a target is missed: that is a result, not a failure."""
    options = _options()
    plan = QUICK if options.quick else WHOLE
    tally = Tally()
    try:
        for text in _work(options, plan, tally):
            print(text, flush=True)
    except NothingNamed as nothing:
        print(nothing, file=sys.stderr)
        return 2
    finally:
        product.shut_down()
    return 0


class NothingNamed(Exception):
    """No line contains the requested text."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter rounds, smaller stores"
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--only", default="", metavar="TEXT", help="lines with TEXT in their name")
    other.add_argument(
        "--soak", type=_minutes, metavar="MINUTES", help="instead: half of capacity for so long"
    )
    other.add_argument(
        "--growth", action="store_true", help="instead: draw times over sizes, docs/images/growth-*"
    )
    return parser.parse_args()


def _minutes(text: str) -> float:
    """Shorter soaks have too few samples to compare their thirds."""
    if (minutes := float(text)) < 1:
        raise argparse.ArgumentTypeError("a soak takes a minute at least")
    return minutes


def _work(options: argparse.Namespace, plan: Plan, tally: Tally) -> Iterator[str]:
    """The output, line by line."""
    yield machine()
    yield "PostgreSQL with fsync and synchronous_commit on; SQLite with WAL and synchronous=FULL"
    if options.growth:
        yield from growth.run(plan)
        return
    lines = _lines(options.only, plan, tally)
    yield from soak.run(options.soak, tally) if options.soak else lines
    yield str(tally)


def _lines(only: str, plan: Plan, tally: Tally) -> Iterator[str]:
    chosen = [(case, lines) for case in CASES if (lines := _named(case, only))]
    if not chosen:
        raise NothingNamed(f"No line has {only!r} in its name.")
    yield f"{plan.rounds} rounds of {plan.seconds} s per side, in random order"
    yield head()
    for case, lines in chosen:
        yield from _run(case, lines, plan, tally)


def _named(case: Case, text: str) -> list[Line]:
    return [line for line in case.lines if text in line.name]


def _run(case: Case, lines: Iterable[Line], plan: Plan, tally: Tally) -> Iterator[str]:
    try:
        with case.sides(plan) as sides:
            found = measure(sides, plan)
    except Unavailable as missing:
        yield from (tally.skipped(line, missing) for line in lines)
        return
    yield from (tally.row(line, found) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
