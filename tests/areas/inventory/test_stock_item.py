"""The rules of stock, sentence by sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from cqrs_app.areas.inventory import commands as do
from cqrs_app.areas.inventory import events as was
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from tests.areas.inventory.given import (
    CHARGE,
    DUE,
    RESTORE,
    RETIRE,
    SKU,
    add,
    adjust,
    commit,
    expect,
    given,
    receive,
    release,
    reserve,
)

RESERVED_4 = was.StockReserved(sku=SKU, order_id="A", quantity=4)


def test_a_product_is_added_once() -> None:
    added = was.ProductAdded(sku=SKU, description="Heart", tracked=True, low_below=3)
    given().when(add(low_below=3)).then(added)
    given(add()).when(add(low_below=3)).then()
    given(add()).when(add(description="Star")).refused(
        "product_exists",
        "Product 85123A is there already. Nothing was changed. "
        "Rename it, or choose another number.",
    )
    given(add(), RETIRE).when(add()).refused(
        "product_exists",
        "Product 85123A was retired; its number stays taken. Nothing was changed. "
        "Restore it instead.",
    )


def test_a_number_keeps_its_case_and_has_no_outer_space() -> None:
    assert do.AddProduct(sku="gift_0001_20").sku == "gift_0001_20"
    assert do.AddProduct(sku=" POST ").sku == "POST"
    for sku in (" ", "", "PO\u200bST"):
        with pytest.raises(Invalid):
            do.AddProduct(sku=sku)


def test_what_is_received_is_on_hand_and_no_longer_on_its_way() -> None:
    received = was.StockReceived(sku=SKU, quantity=5, reference="PO-1", expected=0, on_hand=5)
    given(add()).when(receive(5)).then(received)

    part = was.StockReceived(sku=SKU, quantity=5, reference="PO-1", expected=5, on_hand=5)
    item = given(add(), expect(8)).when(receive(5)).then(part)
    assert item.expected["PO-1"].quantity == 3

    more = was.StockReceived(sku=SKU, quantity=9, reference="PO-1", expected=8, on_hand=9)
    assert given(add(), expect(8)).when(receive(9)).then(more).expected == {}


def test_an_announcement_can_be_changed_and_withdrawn() -> None:
    later = date(2011, 1, 7)
    given(add(), expect(8)).when(expect(8)).then()
    moved = was.StockExpected(sku=SKU, reference="PO-1", quantity=8, due=later)
    given(add(), expect(8)).when(expect(8, due=later)).then(moved)
    gone = was.StockExpected(sku=SKU, reference="PO-1", quantity=0, due=DUE)
    assert given(add(), expect(8)).when(expect(0)).then(gone).expected == {}
    given(add()).when(expect(0)).then()


def test_a_reservation_is_all_or_nothing() -> None:
    item = given(add(), receive(10)).when(reserve("A", 4)).then(RESERVED_4)
    assert (item.on_hand, item.available) == (10, 6)
    given(add(), receive(10), reserve("A", 4)).when(reserve("B", 7)).refused(
        "out_of_stock",
        "Only 6 of 7 available; none reserved. Reduce the quantity or wait for stock.",
    )


def test_an_order_reserves_once() -> None:
    given(add(), receive(10), reserve("A", 4)).when(reserve("A", 4)).then()
    given(add(), receive(10), reserve("A", 4)).when(reserve("A", 5)).refused(
        "reserved_otherwise",
        "4 of product 85123A are reserved for order A already, not 5. That reservation is kept. "
        "Release it first to change it.",
    )
    given(add(), receive(10), reserve("A", 10)).when(reserve("A", 10)).then()


def test_what_is_released_is_available_again_and_releasing_twice_changes_nothing() -> None:
    released = was.StockReleased(sku=SKU, order_id="A", quantity=4)
    item = given(add(), receive(10), reserve("A", 4)).when(release("A")).then(released)
    assert (item.available, item.reserved) == (10, {})
    given(add(), receive(10), reserve("A", 4), release("A")).when(release("A")).then()


def test_what_is_committed_leaves() -> None:
    sent = was.StockCommitted(sku=SKU, order_id="A", quantity=4, on_hand=6)
    item = given(add(), receive(10), reserve("A", 4)).when(commit("A")).then(sent)
    assert (item.on_hand, item.available, item.reserved) == (6, 6, {})
    given(add(), receive(10), reserve("A", 4), commit("A")).when(commit("A")).refused(
        "not_reserved",
        "Nothing of product 85123A is reserved for order A. Nothing was changed. Reserve it first.",
    )


def test_a_part_of_a_reservation_can_leave() -> None:
    sent = was.StockCommitted(sku=SKU, order_id="A", quantity=1, on_hand=9)
    item = given(add(), receive(10), reserve("A", 4)).when(commit("A", 1)).then(sent)
    assert item.reserved == {"A": 3}
    given(add(), receive(10), reserve("A", 4)).when(commit("A", 5)).refused(
        "more_than_reserved",
        "4 of product 85123A are reserved for order A; 5 cannot be shipped. Nothing was changed.",
    )


def test_stock_is_adjusted_down_to_what_is_reserved_and_no_further() -> None:
    down = was.StockAdjusted(sku=SKU, difference=-6, reason="counted", note="", on_hand=4)
    given(add(), receive(10), reserve("A", 4)).when(adjust(-6)).then(down)
    given(add(), receive(10), reserve("A", 4)).when(adjust(-7)).refused(
        "below_reserved",
        "Product 85123A has 10 on hand, 4 of it reserved for orders. Nothing was changed. "
        "At most 6 can be taken off; release a reservation to take off more.",
    )
    with pytest.raises(Invalid):
        do.AdjustStock(sku=SKU, difference=0, reason=AdjustReason.LOST)


def test_a_product_is_retired_only_when_no_order_waits_for_it() -> None:
    given(add(), receive(10), reserve("A", 4)).when(RETIRE).refused(
        "still_reserved",
        "4 of product 85123A are reserved for an order. Nothing was changed. "
        "Ship or release them first.",
    )
    retired = given(add(), receive(10), RETIRE)
    for command in (reserve("A", 1), receive(1), expect(1), RETIRE):
        assert retired.when(command).refusal.code == "product_retired"  # type: ignore[union-attr]
    # What is left can be written off.
    assert retired.when(adjust(-10)).refusal is None
    given(add(), RETIRE).when(RESTORE).then(was.ProductRestored(sku=SKU))
    given(add()).when(RESTORE).refused(
        "not_retired", "Product 85123A is not retired. Nothing was changed."
    )


def test_a_charge_can_always_be_ordered_and_has_no_stock() -> None:
    given(CHARGE).when(reserve("A", 1_000)).then()
    given(CHARGE).when(release("A")).then()
    given(CHARGE).when(commit("A")).then()
    given(CHARGE).when(receive(1)).refused(
        "not_tracked", "Product 85123A is not stocked: it is a fee. Nothing was changed."
    )
    assert given(CHARGE).when(adjust(1)).refusal is not None


def test_a_name_and_a_level_change_only_when_they_do() -> None:
    rename = do.RenameProduct(sku=SKU, description="Star")
    given(add()).when(rename).then(was.ProductRenamed(sku=SKU, description="Star"))
    given(add(), rename).when(rename).then()
    level = do.SetLowStockLevel(sku=SKU, low_below=3)
    given(add()).when(level).then(was.LowStockLevelSet(sku=SKU, low_below=3))
    given(add(), level).when(level).then()


def test_a_product_has_one_price_in_each_currency() -> None:
    in_eur = do.SetProductPrice(sku=SKU, currency="EUR", price=Decimal("2.5"))
    in_jpy = do.SetProductPrice(sku=SKU, currency="JPY", price=Decimal(400))
    no_longer = do.SetProductPrice(sku=SKU, currency="EUR")
    set_in_eur = was.ProductPriceSet(sku=SKU, currency="EUR", price=Decimal("2.50"))
    given(add()).when(in_eur).then(set_in_eur)
    given(add(), in_eur).when(in_jpy).then(
        was.ProductPriceSet(sku=SKU, currency="JPY", price=Decimal(400))
    )
    given(add(), in_eur).when(in_eur).then()
    given(add(), in_eur).when(no_longer).then(
        was.ProductPriceSet(sku=SKU, currency="EUR", price=None)
    )
    given(add()).when(no_longer).then()
    given(add(), RETIRE).when(in_eur).refused("product_retired")


@pytest.mark.parametrize(
    "command",
    [
        RETIRE,
        RESTORE,
        receive(1),
        expect(1),
        adjust(1),
        reserve("A", 1),
        release("A"),
        commit("A"),
        do.RenameProduct(sku=SKU, description="Star"),
        do.SetProductPrice(sku=SKU, currency="EUR", price=Decimal(1)),
        do.SetLowStockLevel(sku=SKU, low_below=3),
    ],
    ids=lambda command: type(command).__name__,
)
def test_nothing_can_be_done_with_a_product_nobody_added(command: Command) -> None:
    given().when(command).refused(
        "no_such_product",
        "There is no product 85123A. Nothing was changed. Capital and small letters differ; "
        "a product has to be added first.",
    )
