"""Curves as SVG files: labelled axes, no embedded fonts or scripts, for light and dark mode.

A picture is a column of panels. Its figures are also in the text (`desc`) for readers who cannot
see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

WIDTH, HEIGHT = 720, 250
LEFT, RIGHT, ABOVE, BELOW = 64, 34, 46, 46
"""Margins around the plot area of a panel, in units of the picture."""
TITLE = 34
COLUMN = 110
"""The width of a column of the legend."""
FEW = 12
"""Curves with up to this many points have a dot at each."""
_STYLE = """
svg { color-scheme: light dark; --paper: #fff; --ink: #14171c; --soft: #5f6876; --line: #e3e6eb;
  --c0: #2f55d4; --c1: #b26a00; --c2: #157347; --c3: #b42318;
  font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
@media (prefers-color-scheme: dark) { svg { --paper: #14171d; --ink: #e8eaef; --soft: #98a1b0;
  --line: #272c36; --c0: #8ea8ff; --c1: #e9a847; --c2: #4fc78c; --c3: #ff8a80 } }
text { fill: var(--soft) } .name { fill: var(--ink); font-weight: 600 } .title { font-size: 15px }
.paper { fill: var(--paper) } .grid { stroke: var(--line) }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
.c0 { stroke: var(--c0) } .c1 { stroke: var(--c1); stroke-dasharray: 7 3 }
.c2 { stroke: var(--c2); stroke-dasharray: 2 3 }
.c3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3 }
circle { fill: var(--paper); stroke-width: 2; stroke-dasharray: none !important }
"""


@dataclass(frozen=True, slots=True)
class Series:
    """A curve through points (x, y), in order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """At most four curves over one axis. With `powers`, the x axis is logarithmic, with a tick at
    each point. The y axis always starts at zero."""

    name: str
    x: str
    y: str
    series: Sequence[Series]
    powers: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps a value from `low`..`high` to `start`..`end`."""

    low: float
    high: float
    start: float
    end: float
    powers: bool = False

    def __call__(self, value: float) -> float:
        by: Callable[[float], float] = math.log10 if self.powers else float
        span = by(self.high) - by(self.low)
        share = (by(value) - by(self.low)) / span if span else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def nice(value: float) -> float:
    """The smallest of 1, 2, 2.5, 5 or 10 times a power of ten that is at least `value`; 1 for
    zero."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def marks(high: float, about: int = 5) -> list[float]:
    """About this many round numbers from zero to `high`."""
    step = nice(high / about)
    return [round(step * number, 10) for number in range(int(high / step + 1e-9) + 1)]


def picture(name: str, panels: Sequence[Panel]) -> str:
    """The text of an SVG file."""
    height = TITLE + HEIGHT * len(panels)
    box = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {height}"}
    svg = ET.Element("svg", box | {"width": str(WIDTH), "height": str(height), "role": "img"})
    _say(svg, "title", name)
    _say(svg, "desc", " ".join(_described(panel) for panel in panels))
    _say(svg, "style", _STYLE)
    _put(svg, "rect", width=WIDTH, height=height, rx=6, class_="paper")
    _say(svg, "text", name, x=LEFT, y=24, class_="name title")
    for number, panel in enumerate(panels):
        group = _put(svg, "g", transform=f"translate(0 {TITLE + number * HEIGHT})")
        _draw(group, panel)
    ET.indent(svg, " ")
    return ET.tostring(svg, encoding="unicode") + "\n"


def _draw(group: ET.Element, panel: Panel) -> None:
    points = [point for series in panel.series for point in series.points]
    places = sorted({x for x, _ in points})
    highest = max(y for _, y in points)
    up = marks(highest if highest > 0 else 1)
    if up[-1] < highest:
        up.append(round(up[1] * len(up), 10))
    low = places[0] if panel.powers else 0.0
    across = Scale(low, places[-1], LEFT, WIDTH - RIGHT, panel.powers)
    upwards = Scale(0, up[-1], HEIGHT - BELOW, ABOVE)
    _say(group, "text", panel.name, x=LEFT, y=16, class_="name")
    _say(group, "text", panel.y, x=LEFT, y=34)
    for value in up:
        y = upwards(value)
        _put(group, "line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
        _say(group, "text", f"{value:,.10g}", x=LEFT - 8, y=y + 4, text_anchor="end")
    for value in places if panel.powers else marks(places[-1], 8):
        x = across(value)
        _say(group, "text", f"{value:,.10g}", x=x, y=HEIGHT - BELOW + 17, text_anchor="middle")
    _say(group, "text", panel.x, x=WIDTH - RIGHT, y=HEIGHT - BELOW + 34, text_anchor="end")
    for number, series in enumerate(panel.series):
        _curve(group, series, f"c{number}", across, upwards)
    if len(panel.series) > 1:
        _legend(group, panel.series)


def _curve(group: ET.Element, series: Series, mark: str, across: Scale, upwards: Scale) -> None:
    places = [(across(x), upwards(y)) for x, y in series.points]
    _put(group, "polyline", points=" ".join(f"{x},{y}" for x, y in places), class_=f"curve {mark}")
    if len(places) <= FEW:
        for x, y in places:
            _put(group, "circle", cx=x, cy=y, r=3.5, class_=mark)


def _legend(group: ET.Element, every: Sequence[Series]) -> None:
    # Columns of one width, since no font metrics are available.
    for number, series in enumerate(every):
        x = WIDTH - RIGHT - COLUMN * (len(every) - number)
        _put(group, "line", x1=x, x2=x + 28, y1=30, y2=30, class_=f"curve c{number}")
        _say(group, "text", series.name, x=x + 34, y=34)


def _described(panel: Panel) -> str:
    curves = "; ".join(
        f"{series.name}: " + ", ".join(f"{y:,.4g} at {x:,.10g}" for x, y in series.points)
        for series in panel.series
    )
    return f"{panel.name}, {panel.y} over {panel.x}. {curves}."


def _put(parent: ET.Element, tag: str, **attributes: object) -> ET.Element:
    """Add an element. `class_` and `text_anchor` stand for the attributes `class` and
    `text-anchor`."""
    named = {key.rstrip("_").replace("_", "-"): str(each) for key, each in attributes.items()}
    return ET.SubElement(parent, tag, named)


def _say(parent: ET.Element, tag: str, words: str, **attributes: object) -> None:
    _put(parent, tag, **attributes).text = words
