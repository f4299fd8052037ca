"""`bin/attack`: start a console on this machine, attack it, and print what came through."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterator

import psutil

from tests.attack import target
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan

ATTACKS = (
    "roles",
    "objects",
    "forgery",
    "hosts",
    "sessions",
    "races",
    "timing",
    "tampering",
    "hostile",
    "bombs",
    "sockets",
    "traces",
)
"""Modules of this package, each with `run(target, plan)`. What strains the console comes late, and
what it wrote meanwhile is read last."""
USUAL, WHOLE = 100_000, 1_000_000


def main() -> int:
    """Returns 1 if anything came through."""
    options = _options()
    plan = Plan(WHOLE if options.whole else options.values, options.times, options.seed)
    chosen = [name for name in ATTACKS if name in (options.only or ATTACKS)]
    began, came_through, tried = time.monotonic(), 0, 0
    print(f"seed {plan.seed}, {plan.values:,} hostile values")
    print(f"{'attack':<58}{'tried':>9}{'through':>8}")
    with target.running() as console:
        for outcome in _outcomes(chosen, console, plan):
            print(outcome, flush=True)
            tried += outcome.tried
            came_through += len(outcome.failures)
        seconds = time.monotonic() - began
        used = _processor_seconds(console)
    print(
        f"{tried:,} tried, {came_through} came through; {seconds:.0f} s, {used:.0f} s of processor"
    )
    return 1 if came_through else 0


def _outcomes(chosen: list[str], console: target.Target, plan: Plan) -> Iterator[Outcome]:
    for name in chosen:
        yield from importlib.import_module(f"tests.attack.{name}").run(console, plan)


def _processor_seconds(console: target.Target) -> float:
    """Of the console and of this process."""
    family = [console.supervisor, *console.supervisor.children(recursive=True), psutil.Process()]
    times = [each.cpu_times() for each in family if each.is_running()]
    return sum(each.user + each.system for each in times)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/attack", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="tries the same for the same number")
    parser.add_argument(
        "--values", type=int, default=USUAL, metavar="NUMBER", help="of hostile values"
    )
    parser.add_argument("--whole", action="store_true", help=f"{WHOLE:,} hostile values")
    parser.add_argument(
        "--times",
        type=int,
        default=20,
        metavar="NUMBER",
        help="for what is repeated, races for one",
    )
    parser.add_argument("--only", nargs="+", choices=ATTACKS, metavar="ATTACK")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
