"""Prints the lines of the table and counts the targets met."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence

from bench.case import Line
from bench.rounds import spread


class Tally:
    """Counts the lines that have a target and those that meet it."""

    def __init__(self) -> None:
        self.met = 0
        self.targets = 0

    def row(self, line: Line, found: Mapping[str, Sequence[float]]) -> str:
        """The line with its figure and whether the target is met; `found` has the figures of its
        sides, round by round."""
        compared = [line.of, line.to] if line.to else [line.of]
        figure = spread(*(found[side] for side in compared))
        is_met = line.is_met(figure.median)
        self.targets += line.has_target
        self.met += line.has_target and is_met
        mark = "" if not line.has_target else "met     " if is_met else "missed  "
        quartiles = f"{figure.lower:.2f}-{figure.upper:.2f}" if len(found[line.of]) > 1 else ""
        rates = ", ".join(f"{statistics.median(found[side]):,.1f} {side}" for side in compared)
        return f"{_start(line, f'{figure.median:.2f}', quartiles)}  {mark}{rates} ({line.unit})"

    def skipped(self, line: Line, why: object) -> str:
        """The line if it could not be measured. Its target is not counted."""
        return f"{_start(line, '-', '')}  skipped: {why}"

    def __str__(self) -> str:
        return f"targets met: {self.met} of {self.targets}"


def machine() -> str:
    """A description of the machine."""
    return f"{os.cpu_count()} cores with Python {platform.python_version()}"


def head() -> str:
    return f"{'':<50}{'median':>8}{'quartiles':>16}{'target':>9}  what was compared"


def _start(line: Line, figure: str, quartiles: str) -> str:
    return f"{line.name:<50}{figure:>8}{quartiles:>16}{line.target:>9}"
