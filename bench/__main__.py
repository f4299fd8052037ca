"""`bin/bench`: measure, print a table, and say how many targets are met."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bench import product
from bench.cases import Group, Line, NotHere, all_groups
from bench.rounds import Plan, measure, spread

QUICK = Plan(rounds=5, seconds=0.35, quick=True)
WHOLE = Plan(rounds=15, seconds=0.8, quick=False)


def main() -> int:
    """Returns 0 also where a target is missed: that is a finding, not a failure."""
    options = _options()
    chosen = [(group, lines) for group in all_groups() if (lines := _named(group, options.only))]
    if not chosen:
        print(f"No line has {options.only!r} in its name.", file=sys.stderr)
        return 2
    plan = QUICK if options.quick else WHOLE
    for text in _settings(plan):
        print(text)
    met = targets = 0
    try:
        for group, lines in chosen:
            for line, text, is_met in _run(group, lines, plan):
                print(text, flush=True)
                targets += line.has_target and is_met is not None
                met += line.has_target and bool(is_met)
    finally:
        product.shut_down()
    print(f"targets met: {met} of {targets}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter rounds, smaller stores"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="lines with TEXT in their name")
    return parser.parse_args()


def _named(group: Group, text: str) -> list[Line]:
    return [line for line in group.lines if text in line.name]


def _settings(plan: Plan) -> Iterator[str]:
    yield (
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {plan.rounds} rounds of "
        f"{plan.seconds} s per side, in random order"
    )
    yield "PostgreSQL with fsync and synchronous_commit on; SQLite with WAL and synchronous=FULL"
    yield f"{'':<50}{'median':>8}{'quartiles':>16}{'target':>9}  what was compared"


def _run(
    group: Group, lines: Iterable[Line], plan: Plan
) -> Iterator[tuple[Line, str, bool | None]]:
    """Each line, its text, and whether its target is met; None where it could not be measured."""
    try:
        with group.open(plan) as sides:
            found = measure(sides, plan)
    except NotHere as missing:
        for line in lines:
            yield line, f"{line.name:<50}{'-':>8}{'':>16}{line.target:>9}  skipped: {missing}", None
        return
    for line in lines:
        yield line, *_line(line, found)


def _line(line: Line, found: Mapping[str, Sequence[float]]) -> tuple[str, bool]:
    compared = [line.of, line.to] if line.to else [line.of]
    figure = spread(*(found[side] for side in compared))
    is_met = line.is_met(figure.median)
    mark = "" if not line.has_target else "met     " if is_met else "missed  "
    quartiles = f"{figure.lower:.2f}-{figure.upper:.2f}"
    rates = ", ".join(f"{statistics.median(found[side]):,.1f} {side}" for side in compared)
    text = f"{line.name:<50}{figure.median:>8.2f}{quartiles:>16}{line.target:>9}"
    return f"{text}  {mark}{rates} ({line.unit})", is_met


if __name__ == "__main__":
    sys.exit(main())
