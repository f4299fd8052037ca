"""What is measured: each case names its sides, what is compared with what, and the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.rounds import Slice

Sides = Mapping[str, Slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`open` prepares the stores and gives the sides; `of` is compared with `to`.

    The ratio must be at least `least`, or at most `most`.
    """

    name: str
    of: str
    to: str
    open: Callable[[], AbstractContextManager[Sides]]
    least: float | None = None
    most: float | None = None
    unit: str = "per second"

    @property
    def target(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"

    def is_met(self, ratio: float) -> bool:
        if self.least is not None:
            return ratio >= self.least
        return self.most is None or ratio <= self.most


def all_cases() -> Iterator[Case]:
    """Every case, in the order of the table."""
    from bench import commands, pages

    yield from commands.CASES
    yield from pages.CASES
