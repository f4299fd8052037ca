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
    """This machine lacks something that a case needs. Its lines are skipped and not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Compares the side `of` with the side `to`, or reports the figure of `of` if there is no `to`.

    The ratio, or the figure, must be at least `least` or at most `most`. A line with neither has no
    target.
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
    """`sides` prepares stores and processes for a plan and yields what to measure. It may raise
    Unavailable."""

    sides: Callable[[Plan], AbstractContextManager[Sides]]
    lines: tuple[Line, ...]


def on_each_database(
    sides: Callable[[str, Plan], AbstractContextManager[Sides]],
    *lines: Line,
) -> Iterator[Case]:
    """The case for each database, whose name replaces `{database}` in the names of the lines."""
    for database in DATABASES:
        named = (replace(line, name=line.name.format(database=database)) for line in lines)
        yield Case(partial(sides, database), tuple(named))
