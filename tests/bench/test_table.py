"""Lines, their targets and the count of those met."""

from __future__ import annotations

import pytest

from bench.case import Line
from bench.table import Tally


@pytest.mark.parametrize(
    ("line", "figure", "is_met"),
    [
        (Line(name="a", of="x", least=2), 2.0, True),
        (Line(name="a", of="x", least=2), 1.99, False),
        (Line(name="a", of="x", most=2), 2.0, True),
        (Line(name="a", of="x", most=2), 2.01, False),
        (Line(name="a", of="x", most=0), 0.0, True),
        (Line(name="a", of="x"), 7.0, True),
    ],
)
def test_a_target_is_met_up_to_its_very_value(line: Line, figure: float, is_met: bool) -> None:
    assert line.is_met(figure) is is_met


def test_only_lines_with_a_target_are_counted() -> None:
    tally = Tally()
    sides = {"x": [4.0], "y": [2.0]}
    assert "met     4.0 x, 2.0 y" in tally.row(Line(name="a", of="x", to="y", least=2), sides)
    assert "missed  4.0 x, 2.0 y" in tally.row(Line(name="a", of="x", to="y", most=1), sides)
    assert "met" not in tally.row(Line(name="a", of="x", to="y"), sides)
    assert str(tally) == "targets met: 1 of 2"


def test_a_skipped_line_says_why_and_counts_for_nothing() -> None:
    tally = Tally()
    assert tally.skipped(Line(name="a", of="x", least=2), "no npm").endswith("skipped: no npm")
    assert str(tally) == "targets met: 0 of 0"


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was twice as slow in the second round: both sides were.
    text = Tally().row(Line(name="a", of="x", to="y"), {"x": [8, 4, 8], "y": [2, 1, 2]})
    assert "4.00-4.00" in text


def test_quartiles_need_more_than_one_round() -> None:
    assert "1.00-1.00" not in Tally().row(Line(name="a", of="x"), {"x": [1.0]})
