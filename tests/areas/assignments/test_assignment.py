"""Who is responsible for an order: decided in a stream beside the order's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cqrs_app.areas.assignments import ASSIGNMENTS
from cqrs_app.areas.assignments import commands as do
from cqrs_app.areas.assignments import events as was
from cqrs_app.areas.assignments.assignment import Assignment, OrderToTakeOver
from cqrs_app.kernel import Invalid
from cqrs_app.kernel.testing import Scenarios

THE = "536365"
given = Scenarios(ASSIGNMENTS, at=datetime(2026, 3, 1, tzinfo=UTC)).given
TO_ANA = was.AssigneeChanged(order_id=THE, operator="ana", team="", note="")
TO_RETURNS = was.AssigneeChanged(order_id=THE, operator="", team="returns", note="Ana is ill.")


def test_an_order_is_assigned_to_an_operator_and_handed_over_to_a_team_with_a_note() -> None:
    given().when(do.AssignOrder(order_id=THE, operator="ana")).then(TO_ANA)
    hand_over = do.AssignOrder(order_id=THE, team="returns", note="Ana is ill.")
    given(TO_ANA).when(hand_over).then(TO_RETURNS)


def test_an_order_is_not_assigned_twice_to_the_same() -> None:
    given(TO_ANA).when(do.AssignOrder(order_id=THE, operator="ana")).refused(
        "already_assigned", "Order 536365 is assigned to ana already. Nothing was changed."
    )
    given(TO_RETURNS).when(do.AssignOrder(order_id=THE, team="returns")).refused("already_assigned")


def test_an_order_is_given_back_once() -> None:
    back = do.UnassignOrder(order_id=THE, note="Not mine.")
    removed = was.AssigneeRemoved(order_id=THE, note="Not mine.")
    given(TO_ANA).when(back).then(removed)
    given(TO_ANA, removed).when(back).refused(
        "not_assigned", "Order 536365 is assigned to nobody. Nothing was changed."
    )
    given(TO_ANA, removed).when(do.AssignOrder(order_id=THE, operator="ana")).then(TO_ANA)


def test_taking_over_and_skipping_are_recorded_and_change_no_assignee() -> None:
    note = "She is at lunch."
    claimed = OrderToTakeOver(order_id=THE, note=note, holder="ana")
    assert list(given(TO_ANA).state(Assignment).take_over(claimed)) == [
        was.OrderTakenOver(order_id=THE, holder="ana", note=note)
    ]
    given(TO_ANA).when(do.TakeOverOrder(order_id=THE, note=note)).refused("not_claimed")
    given().when(do.SkipOrder(order_id=THE, reason="Waits.")).then(
        was.OrderSkipped(order_id=THE, reason="Waits.")
    )


@pytest.mark.parametrize(
    "fields",
    [{}, {"operator": "ana", "team": "returns"}, {"operator": "Ana Maria"}, {"operator": "@me"}],
)
def test_an_order_is_assigned_to_one_name(fields: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        do.AssignOrder(order_id=THE, **fields)


def test_a_note_or_a_reason_is_asked_for() -> None:
    with pytest.raises(Invalid):
        do.TakeOverOrder(order_id=THE, note="")
    with pytest.raises(Invalid):
        do.SkipOrder(order_id=THE, reason="")
