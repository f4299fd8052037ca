"""Charts drawn on the server: bars or lines over the steps of an axis, and sparklines.

Pure: the geometry is text for the `d` of an SVG path. templates/components/charts.html draws a
chart and writes its figures as a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

WIDTH, HEIGHT = 600, 120
"""The units of a chart, which is stretched to its place on the page."""
GAP = 0.28
"""The empty share of a bar's slot."""

Value = Decimal | float | None
"""None where nothing was measured: no bar, a gap in a line."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A step of the axis: a day, an hour. `tick` is its short name on the axis, `url` leads to the
    rows behind it or to a closer look, `mark` names what happened in it, such as a release."""

    label: str
    tick: str = ""
    url: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each slot, and how one is written. `tone` colours what has a meaning: good, warn,
    bad or quiet."""

    name: str
    values: Sequence[Value]
    text: Callable[[Any], str]
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws; made by `bar_chart` or `line_chart`. `top` is the value at full
    height, `paths` has a path for each series."""

    kind: Literal["bar", "line"]
    label: str
    slots: Sequence[Slot]
    series: Sequence[Series]
    top: float
    paths: Sequence[str]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def step(self) -> float:
        return self.width / max(1, len(self.slots))

    @property
    def ticks(self) -> tuple[str, ...]:
        """The names of the first, the middle and the last slot."""
        count = len(self.slots)
        shown = sorted({0, count // 2, count - 1}) if count else ()
        return tuple(self.slots[at].tick for at in shown)

    @property
    def marked(self) -> Iterator[tuple[float, Slot]]:
        """The slots with a mark, each after the place of its middle."""
        for number, slot in enumerate(self.slots):
            if slot.mark:
                yield round((number + 0.5) * self.step, 2), slot

    def title(self, number: int) -> str:
        """A slot with its values, a line for each series."""
        lines = (f"{each.name}: {each.text(each.values[number])}" for each in self.series)
        return "\n".join((self.slots[number].label, *lines))


def bar_chart(label: str, slots: Sequence[Slot], *series: Series, top: float = 0) -> Chart:
    """A bar for each slot, the series stacked upon each other. `top` is chosen where it is 0."""
    stacks = [[_height(each.values[at]) for each in series] for at in range(len(slots))]
    top = top or round_up(max(map(sum, stacks), default=0))
    paths = [""] * len(series)
    for at, stack in enumerate(stacks):
        foot = float(HEIGHT)
        for number, value in enumerate(stack):
            if value:
                # A value above zero never vanishes.
                tall = max(1.0, value / top * HEIGHT)
                paths[number] += _bar(at, len(slots), foot, tall)
                foot -= tall
    return Chart("bar", label, slots, series, top, paths)


def line_chart(label: str, slots: Sequence[Slot], *series: Series, top: float = 0) -> Chart:
    """A line for each series, with gaps where nothing was measured."""
    highest = max((_height(value) for each in series for value in each.values), default=0)
    top = top or round_up(highest)
    paths = [_line(each.values, top, WIDTH, HEIGHT) for each in series]
    return Chart("line", label, slots, series, top, paths)


def spark_path(values: Sequence[Value]) -> str:
    """A line alone, up to its highest value, in a box of 100 x 20 units."""
    return _line(values, max(map(_height, values), default=0) or 1, 100, 20)


def round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5 or 10 times a power of ten at or above `value`; 1 for zero."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def _height(value: Value) -> float:
    return max(0.0, float(value or 0))


def _bar(at: int, of: int, foot: float, tall: float) -> str:
    step = WIDTH / of
    left, wide = (at + GAP / 2) * step, (1 - GAP) * step
    return f"M{left:.4g} {foot:.4g}v{-tall:.4g}h{wide:.4g}v{tall:.4g}z"


def _line(values: Sequence[Value], top: float, width: float, height: float) -> str:
    """Through the middles of the slots, with gaps."""
    step = width / max(1, len(values))
    path = ""
    for missing, some in groupby(enumerate(values), lambda pair: pair[1] is None):
        if missing:
            continue
        points = [
            f"{(at + 0.5) * step:.4g} {height * (1 - min(1.0, _height(value) / top)):.4g}"
            for at, value in some
        ]
        # A line to where it is already is a dot.
        path += "M" + "L".join(points if len(points) > 1 else points * 2)
    return path
