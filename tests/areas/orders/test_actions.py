"""What the order's page offers is what the rules allow."""

from __future__ import annotations

import pytest

from cqrs_app.areas.orders import ORDERS
from cqrs_app.kernel.commands.actions import possible
from cqrs_app.kernel.messages.messages import Command
from tests.areas.orders.given import given, order
from tests.areas.orders.test_order import ALLOWED, STATES, THE


@pytest.mark.parametrize("state", STATES)
def test_each_action_is_offered_or_explained_as_the_task_itself_would_be(state: str) -> None:
    by_name: dict[str, Command] = {type(command).__name__: command for command in ALLOWED}
    found = possible(ORDERS.handlers, order(*STATES[state]), THE, 1)
    offered = {action.command: action for action in found.actions}
    assert offered.keys() == by_name.keys()
    for name, action in offered.items():
        refusal = given(*STATES[state]).when(by_name[name]).refusal
        assert action.allowed == (refusal is None)
        assert action.reason == (refusal.why if refusal else "")
        assert action.label == type(by_name[name]).declaration.label
