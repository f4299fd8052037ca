"""Tags of an order."""

from __future__ import annotations

import pytest

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.types import MOST_TAGS
from cqrs_app.kernel import Invalid
from tests.areas.orders.given import PLACED, given

THE = "536365"
GIFT = was.OrderTagAdded(order_id=THE, tag="gift")


def add(tag: str) -> do.AddOrderTag:
    return do.AddOrderTag(order_id=THE, tag=tag)


def test_a_tag_is_one_tag_however_it_is_typed() -> None:
    given(PLACED).when(add("  Gift  Wrap ")).then(was.OrderTagAdded(order_id=THE, tag="gift wrap"))
    given(PLACED, GIFT).when(add("GIFT")).refused(
        "already_tagged", "Order 536365 already has the tag “gift”. Nothing was changed."
    )


def test_a_tag_that_was_removed_can_be_added_again() -> None:
    remove = do.RemoveOrderTag(order_id=THE, tag="Gift")
    removed = was.OrderTagRemoved(order_id=THE, tag="gift")
    given(PLACED, GIFT).when(remove).then(removed)
    given(PLACED, GIFT, removed).when(add("gift")).then(GIFT)
    given(PLACED, GIFT, removed).when(remove).refused(
        "not_tagged", "Order 536365 does not have the tag “gift”. Nothing was changed."
    )
    given().when(remove).refused("no_such_order")


def test_an_order_has_few_tags() -> None:
    tags = [was.OrderTagAdded(order_id=THE, tag=f"t{number}") for number in range(MOST_TAGS)]
    given(PLACED, *tags).when(add("one more")).refused("too_many_tags")


@pytest.mark.parametrize("tag", ["", "x" * 31, "a\x00b"])
def test_a_tag_is_a_short_word(tag: str) -> None:
    with pytest.raises(Invalid):
        add(tag)
