"""The geometry of charts, and the words beside it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from cqrs_app.interfaces.web.charts import (
    HEIGHT,
    WIDTH,
    Series,
    Slot,
    Value,
    bar_chart,
    line_chart,
    round_up,
    spark_path,
)

DAYS = [Slot("Mon, 2 Mar", "2 Mar"), Slot("Tue, 3 Mar", "3 Mar"), Slot("Wed, 4 Mar", "4 Mar")]


def series(*values: Value, name: str = "Orders") -> Series:
    return Series(name, values, lambda value: f"{value} in all")


def bars(path: str) -> list[tuple[float, ...]]:
    """Each bar of a path: left, foot, width and height."""
    found = re.findall(r"M([\d.]+) ([\d.]+)v-([\d.]+)h([\d.]+)v\3z", path)
    return [(float(x), float(y), float(wide), float(tall)) for x, y, tall, wide in found]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0, 1), (0.3, 0.5), (1, 1), (3, 5), (25, 25), (26, 50), (501, 1_000), (0.002, 0.002)],
)
def test_a_scale_ends_at_a_round_number(value: float, rounded: float) -> None:
    assert round_up(value) == pytest.approx(rounded)


def test_bars_are_as_high_as_their_values_and_an_empty_slot_has_none() -> None:
    chart = bar_chart("Orders", DAYS, series(5, None, Decimal(10)))
    step = WIDTH / 3
    assert chart.top == 10
    (low, high) = bars(chart.paths[0])
    assert low[1:] == (HEIGHT, pytest.approx(0.72 * step), HEIGHT / 2)
    assert high[1:] == (HEIGHT, pytest.approx(0.72 * step), HEIGHT)
    assert 0 < low[0] < step and 2 * step < high[0] < WIDTH


def test_a_small_value_beside_a_large_one_can_still_be_seen() -> None:
    chart = bar_chart("Orders", DAYS, series(1, 100_000, 0))
    assert [tall for *_, tall in bars(chart.paths[0])] == [1, HEIGHT]


def test_series_of_bars_are_stacked() -> None:
    chart = bar_chart("Orders", DAYS, series(4, 1, 0), series(4, 0, 2))
    assert chart.top == 10
    lower, upper = map(bars, chart.paths)
    assert upper[0][1] == pytest.approx(HEIGHT - lower[0][3])
    assert upper[1][1] == HEIGHT


def test_a_line_has_a_gap_where_nothing_was_measured_and_a_dot_where_one_slot_was() -> None:
    slots = [Slot(str(number)) for number in range(6)]
    path = line_chart("Lag", slots, series(0, 10, None, 5, None, 10)).paths[0]
    assert path == "M50 120L150 0M350 60L350 60M550 0L550 0"


def test_lines_of_a_chart_share_its_scale() -> None:
    chart = line_chart("Times", DAYS, series(1, 1, 1, name="p50"), series(2, 5, 2, name="p95"))
    assert chart.top == 5
    assert chart.paths[0].startswith("M100 96L")


def test_a_value_over_a_given_scale_stays_inside() -> None:
    assert line_chart("Busy", DAYS, series(0, 2, 1), top=1).paths[0] == "M100 120L300 0L500 0"


def test_a_sparkline_reaches_its_highest_value() -> None:
    assert spark_path([1, 4]) == "M25 15L75 0"
    assert spark_path([0, 0]) == "M25 20L75 20"
    assert spark_path([]) == ""


def test_a_slot_says_what_each_series_has_there() -> None:
    chart = bar_chart("Orders", DAYS, series(1, 2, 3), series(4, 5, 6, name="Refused"))
    assert chart.title(1) == "Tue, 3 Mar\nOrders: 2 in all\nRefused: 5 in all"


@pytest.mark.parametrize(("count", "named"), [(0, ""), (1, "a"), (2, "ab"), (3, "abc"), (5, "ace")])
def test_the_ends_and_the_middle_of_the_axis_are_named(count: int, named: str) -> None:
    slots = [Slot(letter, letter) for letter in "abcde"[:count]]
    assert "".join(bar_chart("Orders", slots, series(*range(count))).ticks) == named


def test_what_happened_in_a_slot_is_marked_at_its_middle() -> None:
    slots = [Slot("a"), Slot("b", mark="Release 2.1")]
    chart = line_chart("Lag", slots, series(1, 2))
    assert list(chart.marked) == [(450, slots[1])]
