"""From every state of order, returns, payments, reservation and fulfilment, some action of some
role leads to an end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqrs_app.areas.fulfilment.types import AfterDeclines, Policy
from cqrs_app.areas.orders.commands import ApproveOrder, ShipOrder
from cqrs_app.areas.payments.commands import RecordPayment
from tests.areas.fulfilment.world import (
    PRICE,
    THE,
    UNITS,
    Endings,
    begin,
    do,
    explored,
    followers,
)

BY_HAND = Policy(method="", retry_after=(), after_declines=AfterDeclines.HOLD)
AT_ONCE = replace(BY_HAND, method="card")
STARTS = {
    "a person records payments": (BY_HAND, 2),
    "a gateway is asked": (replace(AT_ONCE, retry_after=(3600,)), 2),
    "one unit is missing": (AT_ONCE, 1),
    "declined orders are cancelled": (replace(AT_ONCE, after_declines=AfterDeclines.CANCEL), 2),
}
"""The policy, and how many of the two units ordered are on hand."""


@pytest.mark.parametrize("name", STARTS)
def test_every_state_that_is_reached_soon_has_a_legal_way_to_an_end(name: str) -> None:
    endings, worlds = Endings(), explored(begin(*STARTS[name]), most=600)
    assert [str(world) for world in worlds if not endings.exist(world)] == []


def test_every_state_after_shipping_has_a_legal_way_to_an_end() -> None:
    world = begin(BY_HAND, 2)
    paid = {"amount": UNITS * PRICE, "currency": "EUR", "method": "card", "reference": "1"}
    for command in (
        ApproveOrder(order_id=THE),
        RecordPayment(payment_id="P0", order_id=THE, **paid),
        ShipOrder(order_id=THE),
    ):
        world = do(world, command)
    endings, worlds = Endings(), explored(world, most=300)
    assert [str(world) for world in worlds if not endings.exist(world)] == []
    assert any(world.order.returning for world in worlds)
    assert any(world.order.returned for world in worlds)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(list(STARTS)), choices=st.lists(st.integers(0, 1000), max_size=25))
def test_every_state_on_a_long_way_has_a_legal_way_to_an_end(name: str, choices: list[int]) -> None:
    endings, world = Endings(), begin(*STARTS[name])
    for choice in choices:
        further = list(followers(world))
        world = further[choice % len(further)]
        assert endings.exist(world), str(world)
