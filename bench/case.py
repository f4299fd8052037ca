"""A case: sides that are measured in turns, and the lines of the table that compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from bench.rounds import Plan, Slice

Sides = Mapping[str, Slice]

DATABASES = ("postgresql", "sqlite")


class Unavailable(Exception):
    """What a case needs is not on this machine: its lines are skipped, and count as neither met nor
    missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The side `of` compared with the side `to`, or its own figure where there is no `to`.

    The ratio, or the figure, must be at least `least`, or at most `most`. A line with neither has
    no target.
    """

    name: str
    of: str
    to: str | None = None
    least: float | None = None
    most: float | None = None
    unit: str = "per second"

    @property
    def has_target(self) -> bool:
        return self.least is not None or self.most is not None

    @property
    def target(self) -> str:
        if self.least is not None:
            return f">= {self.least:g}"
        return f"<= {self.most:g}" if self.most is not None else "-"

    def is_met(self, figure: float) -> bool:
        if self.least is not None:
            return figure >= self.least
        return self.most is None or figure <= self.most


@dataclass(frozen=True, slots=True)
class Case:
    """`sides` prepares stores and processes for a plan and yields what is measured; it raises
    Unavailable."""

    sides: Callable[[Plan], AbstractContextManager[Sides]]
    lines: tuple[Line, ...]


def on_each_database(
    sides: Callable[[str, Plan], AbstractContextManager[Sides]],
    *lines: Line,
) -> Iterator[Case]:
    """The case once for each database, which the names of the lines hold as `{database}`."""
    for database in DATABASES:
        named = (replace(line, name=line.name.format(database=database)) for line in lines)
        yield Case(partial(sides, database), tuple(named))
