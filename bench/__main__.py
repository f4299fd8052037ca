"""`bin/bench`: measure, print a table, and say how many targets are met."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator

from bench import product
from bench.cases import Case, all_cases
from bench.rounds import Plan, Ratio, measure, ratio

QUICK = Plan(rounds=5, seconds=0.35)
WHOLE = Plan(rounds=15, seconds=0.8)


def main() -> int:
    """Returns 0 also where a target is missed: that is a finding, not a failure."""
    options = _options()
    cases = [case for case in all_cases() if options.only in case.name]
    if not cases:
        print(f"No case has {options.only!r} in its name.", file=sys.stderr)
        return 2
    plan = QUICK if options.quick else WHOLE
    for line in _settings(plan):
        print(line)
    met = 0
    try:
        for case in cases:
            found, rates = _run(case, plan)
            met += case.is_met(found.median)
            print(_line(case, found, rates), flush=True)
    finally:
        product.shut_down()
    print(f"targets met: {met} of {len(cases)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with TEXT in their name")
    return parser.parse_args()


def _settings(plan: Plan) -> Iterator[str]:
    yield (
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {plan.rounds} rounds of "
        f"{plan.seconds} s per side, in random order"
    )
    yield "PostgreSQL with fsync and synchronous_commit on; SQLite with WAL and synchronous=FULL"
    yield f"{'':<46}{'ratio':>7}{'quartiles':>14}{'target':>9}  rates of the two sides"


def _run(case: Case, plan: Plan) -> tuple[Ratio, tuple[float, float]]:
    with case.open() as sides:
        found = measure(sides, plan)
    of, to = found[case.of], found[case.to]
    return ratio(of, to), (sorted(of)[len(of) // 2], sorted(to)[len(to) // 2])


def _line(case: Case, found: Ratio, rates: tuple[float, float]) -> str:
    mark = "met" if case.is_met(found.median) else "missed"
    quartiles = f"{found.lower:.2f}-{found.upper:.2f}"
    told = f"{rates[0]:,.1f} {case.of}, {rates[1]:,.1f} {case.to} ({case.unit})"
    return f"{case.name:<46}{found.median:>7.2f}{quartiles:>14}{case.target:>9}  {mark:<7}{told}"


if __name__ == "__main__":
    sys.exit(main())
