"""Pictures of curves."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from bench.svg import HEIGHT, TITLE, Panel, Scale, Series, marks, nice, picture

SVG = {"s": "http://www.w3.org/2000/svg"}


def drawn(*series: Series, powers: bool = False, name: str = "Time") -> ET.Element:
    return parsed(name, [Panel("Of one", "orders", "ms", series, powers)])


def parsed(name: str, panels: list[Panel]) -> ET.Element:
    return ET.fromstring(picture(name, panels))  # noqa: S314 - of our own making


def words(svg: ET.Element) -> list[str | None]:
    return [each.text for each in svg.findall(".//s:text", SVG)]


def test_a_scale_maps_its_ends_and_its_middle() -> None:
    scale = Scale(0, 10, 200, 100)
    assert [scale(0), scale(5), scale(10)] == [200, 150, 100]


def test_a_scale_of_powers_gives_each_factor_the_same_room() -> None:
    scale = Scale(10, 10_000, 0, 300, powers=True)
    assert [scale(10), scale(100), scale(1_000), scale(10_000)] == [0, 100, 200, 300]


def test_a_scale_of_a_single_value_puts_it_in_the_middle() -> None:
    assert Scale(10, 10, 0, 300, powers=True)(10) == 150


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0, 1), (0.03, 0.05), (0.2, 0.2), (1.1, 2), (2.2, 2.5), (6, 10), (100, 100), (101, 200)],
)
def test_a_nice_number_is_the_next_round_one(value: float, rounded: float) -> None:
    assert nice(value) == pytest.approx(rounded)


@pytest.mark.parametrize("high", [0.004, 0.9, 1, 7.3, 30, 999, 1_000_000])
def test_marks_begin_at_zero_and_do_not_pass_the_highest(high: float) -> None:
    found = marks(high)
    assert found[0] == 0
    assert 3 <= len(found) <= 7
    assert found[-1] <= high * (1 + 1e-9)
    assert len({round(b - a, 9) for a, b in pairwise(found)}) == 1


def test_words_are_escaped_and_come_back_whole() -> None:
    name = """<b> & "quoted" 'text' ]]>"""
    svg = drawn(Series("a<b", [(1, 1)]), Series("b&c", [(1, 2)]), name=name)
    assert name in words(svg)
    assert {"a<b", "b&c"} <= set(words(svg))
    assert svg.findtext("s:title", namespaces=SVG) == name


def test_axes_say_what_they_are_of_and_one_curve_needs_no_legend() -> None:
    found = words(drawn(Series("alone", [(0, 0), (2, 3)])))
    assert {"orders", "ms", "Of one"} <= set(found)
    assert "alone" not in found


def test_sizes_that_grow_by_factors_are_each_marked_in_full() -> None:
    points = [(1_000.0, 1.0), (100_000.0, 1.5), (1_000_000.0, 2.0)]
    found = words(drawn(Series("time", points), powers=True))
    assert {"1,000", "100,000", "1,000,000"} <= set(found)


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, 41.0], [0.0003, 0.0004], [3e6, 1.0]])
def test_every_point_lies_in_the_picture_and_the_higher_above_the_lower(
    values: list[float],
) -> None:
    svg = drawn(Series("time", list(enumerate(values))))
    line = svg.find(".//s:polyline", SVG)
    assert line is not None
    found = [tuple(map(float, each.split(","))) for each in line.attrib["points"].split()]
    assert len(found) == len(values)
    assert all(40 <= y <= HEIGHT for _, y in found)
    assert (found[0][1] > found[1][1]) == (values[0] < values[1])


def test_the_figures_are_there_as_text() -> None:
    text = drawn(Series("time", [(10, 1.25), (1_000_000, 2.5)])).findtext("s:desc", "", SVG)
    assert text == "Of one, ms over orders. time: 1.25 at 10, 2.5 at 1,000,000."


def test_panels_stand_below_each_other() -> None:
    panel = Panel("One", "x", "y", [Series("a", [(1, 1)])])
    svg = parsed("Three", [panel] * 3)
    assert svg.attrib["viewBox"].split()[-1] == str(TITLE + 3 * HEIGHT)


def test_it_loads_nothing_and_follows_the_reader_s_choice_of_light_or_dark() -> None:
    text = picture("One", [Panel("One", "x", "y", [Series("a", [(1, 1)])])])
    assert "prefers-color-scheme: dark" in text
    for foreign in ("url(", "href", "@import", "<script"):
        assert foreign not in text
