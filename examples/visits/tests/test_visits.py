"""Visits: the rules as sentences, and what every area has to keep."""

from datetime import UTC, date, datetime

from visits import PLUGIN, VISITS
from visits.visit import (
    CheckIn,
    CheckOut,
    ExpectVisitor,
    VisitorCheckedIn,
    VisitorCheckedOut,
    VisitorExpected,
)

from cqrs_app.area_contract import AreaContract
from cqrs_app.kernel.testing import Scenarios

DAY = date(2026, 12, 1)
EXPECTED = VisitorExpected(visit_id="V1", visitor="Ana", host="Ben", day=DAY)
INSIDE = VisitorCheckedIn(visit_id="V1", badge=7)
OVER = VisitorCheckedOut(visit_id="V1")
EXPECT = ExpectVisitor(visit_id="V1", visitor="Ana", host="Ben", day=DAY)
scenarios = Scenarios(VISITS, at=datetime(2026, 12, 1, 9, tzinfo=UTC))


class TestContract(AreaContract):
    plugin = PLUGIN


def test_a_visitor_is_expected_once() -> None:
    scenarios.given().when(EXPECT).then(EXPECTED)
    scenarios.given(EXPECTED).when(EXPECT).refused("visit_exists")


def test_a_visitor_comes_with_a_badge_and_goes_without() -> None:
    inside = scenarios.given(EXPECTED).when(CheckIn(visit_id="V1", badge=7)).then(INSIDE)
    assert inside.badge == 7
    scenarios.given(EXPECTED, INSIDE).when(CheckOut(visit_id="V1")).then(OVER)


def test_who_is_not_there_cannot_leave() -> None:
    scenarios.given(EXPECTED).when(CheckOut(visit_id="V1")).refused("not_in_the_building")
    again = CheckIn(visit_id="V1", badge=8)
    scenarios.given(EXPECTED, INSIDE, OVER).when(again).refused("not_expected")
