"""What is measured: groups of sides that take turns, and the lines that compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.rounds import Plan, Slice

Sides = Mapping[str, Slice]


class NotHere(Exception):
    """What a group needs is not on this machine; its lines are told as skipped, not as missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The side `of` compared with the side `to`, or taken as it is where there is no `to`.

    The ratio, or the figure itself, must be at least `least`, or at most `most`; a line with
    neither only tells.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`open` prepares the stores for a plan and gives the sides; raises NotHere."""

    open: Callable[[Plan], AbstractContextManager[Sides]]
    lines: tuple[Line, ...]


def all_groups() -> Iterator[Group]:
    """Every group, in the order of the table."""
    from bench import (
        commands,
        event_store,
        imports,
        lists,
        memory,
        pages,
        polls,
        projections,
        rebuild,
        several,
        visible,
        weight,
    )
    from bench.peers import commands as peers

    yield from commands.GROUPS
    yield from several.GROUPS
    yield from peers.GROUPS
    yield from projections.GROUPS
    yield from rebuild.GROUPS
    yield from imports.GROUPS
    yield from event_store.GROUPS
    yield from visible.GROUPS
    yield from pages.GROUPS
    yield from lists.GROUPS
    yield from polls.GROUPS
    yield from weight.GROUPS
    yield from memory.GROUPS
