"""Whatever was done: never below zero, the ledger adds up, and the tables are the events' fold."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, create_engine

from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory import commands as do
from cqrs_app.areas.inventory.read_models import (
    expected_deliveries,
    product_sales,
    products,
    stock_movements,
    stock_reservations,
)
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.inventory.words import prices_in
from cqrs_app.kernel.commands.aggregate import restore, snapshot_of
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.store.tables import digests, read_tables
from tests.areas.inventory.given import NOON
from tests.areas.inventory.history import (
    EVERYTHING,
    TABLES,
    History,
    everything,
    fold,
    histories,
    work,
)
from tests.read_stores import stored_rows, write_rows

MANY = settings(deadline=None, max_examples=200)


def test_the_example_of_everything_leads_to_every_event() -> None:
    assert {type(each.event) for each in everything().recorded} == set(INVENTORY.event_types)


@MANY
@given(work())
@example(EVERYTHING)
def test_no_sequence_of_tasks_brings_stock_below_zero(tasks: list[tuple[Any, int]]) -> None:
    history = History()
    for command, hours in tasks:
        history.run(command, NOON + timedelta(hours=hours))
        for item in history.aggregates.values():
            assert item.available >= 0
            assert item.on_hand >= sum(item.reserved.values())
            assert all(quantity > 0 for quantity in item.reserved.values())
            assert all(each.quantity > 0 for each in item.expected.values())


def test_what_was_sent_of_an_order_stays_known_when_more_is_reserved_for_it() -> None:
    history = History()
    for command in (
        do.AddProduct(sku="S1"),
        do.ReceiveStock(sku="S1", quantity=9, reference="D1"),
        do.ReserveStock(sku="S1", order_id="A", quantity=3),
        do.CommitStock(sku="S1", order_id="A"),
        do.ReserveStock(sku="S1", order_id="B", quantity=1),
        do.ReserveStock(sku="S1", order_id="A", quantity=2),
    ):
        assert history.run(command).accepted
    found = fold(history.recorded).all(stock_reservations)
    assert {row["order_id"]: (row["quantity"], row["committed"]) for row in found} == {
        "A": (2, 3),
        "B": (1, 0),
    }


@MANY
@given(histories())
@example(everything())
def test_the_tables_say_what_the_rules_know(history: History) -> None:
    rows = fold(history.recorded)
    assert {row["sku"] for row in rows.all(products)} == {
        item.sku for item in history.aggregates.values() if item.sku
    }
    for row in rows.all(products):
        item = history.aggregates[f"product-{row['sku']}"]
        assert row["on_hand"] == item.on_hand
        assert prices_in(row["prices"]) == item.prices
        assert row["available"] == item.available == row["on_hand"] - row["reserved"]
        assert row["incoming"] == sum(each.quantity for each in item.expected.values())
        is_low = item.tracked and not item.retired and item.available < item.low_below
        assert (row["short"] > 0) == is_low
        assert _open(rows, stock_reservations, item.sku, "order_id") == item.reserved
        assert _open(rows, expected_deliveries, item.sku, "reference") == {
            name: each.quantity for name, each in item.expected.items()
        }


def _open(rows: Rows, table: Table, sku: str, name: str) -> dict[str, int]:
    found = [row for row in rows.all(table) if row["sku"] == sku and row["quantity"]]
    return {row[name]: row["quantity"] for row in found}


@MANY
@given(histories())
@example(everything())
def test_the_ledger_adds_up_to_what_is_on_hand_line_by_line(history: History) -> None:
    rows, on_hand, sent = fold(history.recorded), Counter[str](), Counter[str]()
    for line in rows.all(stock_movements):
        on_hand[line["sku"]] += line["quantity"]
        assert line["on_hand"] == on_hand[line["sku"]] >= 0
        if line["kind"] == "sent":
            sent[line["sku"]] -= line["quantity"]
    for row in rows.all(products):
        assert on_hand[row["sku"]] == row["on_hand"]
    sold = Counter[str]()
    for row in rows.all(product_sales):
        sold[row["sku"]] += row["units"]
    assert sold == sent


@MANY
@given(histories(), st.integers(1, 7))
@example(everything(), 3)
def test_rows_written_batch_by_batch_are_the_fold_of_all_events(
    history: History, size: int
) -> None:
    folded, engine = fold(history.recorded), create_engine("sqlite://")
    with engine.begin() as connection:
        read_tables.create_all(connection, tables=[*TABLES, digests])
        write_rows(connection, INVENTORY.projections, history.recorded, [size])
        for table in TABLES:
            assert stored_rows(connection, table) == folded.all(table), table.name
    engine.dispose()


@MANY
@given(histories())
@example(everything())
def test_a_snapshot_holds_all_that_the_rules_need(history: History) -> None:
    for stream, item in history.aggregates.items():
        events = [each for each in history.recorded if each.stream == stream]
        assert restore(StockItem, None, events) == item
        assert restore(StockItem, snapshot_of(item, len(events), 0), []) == item


def test_the_state_holds_open_reservations_only() -> None:
    history = History()
    history.run(do.AddProduct(sku="85123A"))
    history.run(do.ReceiveStock(sku="85123A", quantity=500, reference="PO-1"))
    for number in range(400):
        assert history.run(do.ReserveStock(sku="85123A", order_id=str(number), quantity=1)).accepted
        assert history.run(do.CommitStock(sku="85123A", order_id=str(number))).accepted
    assert history.aggregates["product-85123A"].reserved == {}
