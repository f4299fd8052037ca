"""Whatever was done, the read models are the fold of the events."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from cqrs_app.areas.desk.read_models import (
    credit_notes,
    customer_accounts,
    order_activity,
    order_days,
    order_lines,
    order_tags,
    order_texts,
    order_timeline,
    orders,
)
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.amounts import part_of
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.kernel import Row, Rows, testing
from tests.areas.desk.history import (
    PROJECTIONS,
    REGISTRY,
    START,
    TABLES,
    History,
    fold,
    project,
    read_store,
)
from tests.areas.desk.shop import histories
from tests.areas.orders.given import line, place
from tests.read_stores import stored_rows

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=10)


@settings(deadline=None, max_examples=150)
@given(histories(), SIZES)
def test_rows_written_batch_by_batch_are_the_fold_of_all_events(
    history: History, sizes: list[int]
) -> None:
    folded, engine = fold(history.recorded), read_store()
    with engine.begin() as connection:
        project(connection, history.recorded, sizes)
        for table in TABLES:
            assert stored_rows(connection, table) == folded.all(table), table.name
    engine.dispose()


@settings(deadline=None, max_examples=100)
@given(histories())
def test_one_orders_rows_need_no_other_orders_events(history: History) -> None:
    everything = fold(history.recorded)
    for row in everything.all(orders):
        streams = (f"order-{row['order_id']}", f"fulfilment-{row['order_id']}")
        alone = fold(each for each in history.recorded if each.stream in streams)
        assert alone.all(orders) == [row]
        for table in (order_lines, order_texts, order_timeline):
            mine = [r for r in everything.all(table) if r["order_id"] == row["order_id"]]
            assert alone.all(table) == mine


@settings(deadline=None, max_examples=150)
@given(histories())
def test_orders_by_day_is_a_recount_of_the_orders(history: History) -> None:
    rows = fold(history.recorded)
    recounted: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, Decimal(0)] * 2)
    for row in rows.all(orders):
        counted = recounted[row["placed_day"], row["currency"], row["status"], row["stage"]]
        counted[0] += 1
        counted[1] += row["total"]
        counted[2] += row["imported"]
        counted[3] += row["imported"] * row["total"]
    days = {
        (row["day"], row["currency"], row["status"], row["stage"]): [
            row[name] for name in ("orders", "value", "imported", "imported_value")
        ]
        for row in rows.all(order_days)
        if row["orders"] or row["value"]
    }
    assert days == {key: value for key, value in recounted.items() if value[0]}


@settings(deadline=None, max_examples=150)
@given(histories())
def test_accounts_are_a_recount_of_orders_and_credit_notes(history: History) -> None:
    rows = fold(history.recorded)
    noted = rows.all(credit_notes)
    for account in rows.all(customer_accounts):
        whose = (account["customer_id"], account["currency"])
        assert account["customer_id"]
        mine = [r for r in rows.all(orders) if (r["customer_id"], r["currency"]) == whose]
        lost = [r for r in mine if r["status"] in ("cancelled", "rejected")]
        notes = [r for r in noted if (r["customer_id"], r["currency"]) == whose]
        assert account["orders"] == len(mine)
        in_part = sum(cancelled_of(rows, r) for r in mine)
        assert account["placed_value"] == sum(r["total"] for r in mine) + in_part
        assert account["cancelled_value"] == sum(r["total"] for r in lost) + in_part
        # Also of orders that were assigned to another customer since.
        for order in mine:
            assert account["first_order_at"] <= order["placed_at"] <= account["last_order_at"]
        assert (account["credit_notes"], account["credited"]) == (
            len(notes),
            sum(r["amount"] for r in notes),
        )


@settings(deadline=None, max_examples=100)
@given(histories())
def test_an_order_agrees_with_its_lines_and_with_its_aggregate(history: History) -> None:
    rows = fold(history.recorded)
    for row in rows.all(orders):
        lines = [r for r in rows.all(order_lines) if r["order_id"] == row["order_id"]]
        aggregate: Any = history.aggregates[f"order-{row['order_id']}"]
        cancelled = cancelled_of(rows, row)
        asked = sum(r["amount"] for r in lines) + row["shipping"] + row["tax"] + row["fee"]
        assert row["total"] == asked - cancelled == aggregate.total
        assert row["discount"] == sum(r["discount"] for r in lines)
        assert row["units"] == sum(r["quantity"] - r["cancelled_quantity"] for r in lines)
        assert row["shipped_units"] == sum(r["shipped_quantity"] for r in lines)
        assert row["returned_units"] == sum(r["returned_quantity"] for r in lines)
        assert {
            r["line_no"]: r["returned_quantity"] for r in lines if r["returned_quantity"]
        } == aggregate.returned
        back = 0 < row["shipped_units"] <= row["returned_units"]
        over = row["status"] in ("shipped", "delivered")
        assert (row["stage"] == "returned") == (back and over)
        assert row["line_count"] == sum(r["quantity"] > 0 for r in lines)
        assert [r["line_no"] for r in lines] == list(range(1, row["last_line"] + 1))
        assert [
            r["quantity"] - r["shipped_quantity"] - r["cancelled_quantity"] for r in lines
        ] == aggregate.left
        assert row["status"] == aggregate.status
        assert row["hold_reason"] == aggregate.hold_reason
        tags = [
            r["tag"]
            for r in rows.all(order_tags)
            if r["present"] and r["order_id"] == row["order_id"]
        ]
        assert msgspec.json.decode(row["tags"]) == sorted(aggregate.tags) == tags
        assert row["applied_version"] == len(history.of(f"order-{row['order_id']}"))


def cancelled_of(rows: Rows, order: Row) -> Decimal:
    """What the remaining items of this order that were cancelled would have cost, tax included."""
    lines = [r for r in rows.all(order_lines) if r["order_id"] == order["order_id"]]
    parts = (part_of(r["amount"], r["cancelled_quantity"], r["quantity"]) for r in lines)
    items = sum(parts, Decimal(0))
    return items + part_of(order["tax"], items, sum((r["amount"] for r in lines), Decimal(0)))


@settings(deadline=None, max_examples=50)
@given(histories())
def test_a_replay_into_emptied_tables_gives_the_same_rows(history: History) -> None:
    engine = read_store()
    with engine.begin() as connection:
        project(connection, history.recorded)
        before = {table: stored_rows(connection, table) for table in TABLES}
        for table in TABLES:
            connection.execute(table.delete())
        project(connection, history.recorded, [3])
        assert {table: stored_rows(connection, table) for table in TABLES} == before
    engine.dispose()


def a_long_day() -> History:
    history = History()
    for number in range(1, 120):
        order_id = str(number)
        at = START + timedelta(minutes=number)
        history.run(place(order_id, line(), line("POST", 1, "18"), customer_id=str(number % 7)), at)
        history.run(do.ApproveOrder(order_id=order_id), at)
        if number % 3 == 0:
            some = (ShippedLine(line_no=1, quantity=2),)
            history.run(do.ShipOrder(order_id=order_id, lines=some, tracking=f"T-{number}"), at)
        if number % 5 == 0:
            history.run(do.HoldOrder(order_id=order_id, reason=HoldReason.OTHER), at)
        history.run(do.CancelOrder(order_id=order_id, reason=CancelReason.FRAUD), at)
        if number % 2 == 0:
            history.run(do.CancelRemainingItems(order_id=order_id, reason=CancelReason.FRAUD), at)
    return history


def test_every_database_holds_the_same_rows(connection: Connection) -> None:
    history = a_long_day()
    project(connection, history.recorded, [100])
    folded = fold(history.recorded)
    for table in TABLES:
        assert stored_rows(connection, table) == folded.all(table), table.name


def test_an_order_of_a_thousand_lines_is_written_in_few_statements(connection: Connection) -> None:
    history = History()
    lines = tuple(line(f"S{number}", what=f"Lantern no {number}") for number in range(1_200))
    history.run(place("1", *lines))
    history.run(do.ApproveOrder(order_id="1"))
    history.run(do.ShipOrder(order_id="1"))
    statements = []
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
    project(connection, history.recorded)
    # Two of them are for the digests of the tables.
    assert len(statements) < 42
    (row,) = stored_rows(connection, orders)
    assert (row["line_count"], row["shipped_units"], row["status"]) == (1_200, 7_200, "shipped")


def test_todays_work_counts_on_the_day_it_was_done() -> None:
    history = History()
    history.run(place("1", line(quantity=4, price="2.5")), START)
    tomorrow = START + timedelta(days=1)
    history.run(do.ApproveOrder(order_id="1"), tomorrow)
    history.run(do.ShipOrder(order_id="1", lines=(ShippedLine(line_no=1, quantity=1),)), tomorrow)
    counted = {
        (row["day"], row["what"]): (row["count"], row["value"])
        for row in fold(history.recorded).all(order_activity)
    }
    assert counted == {
        (START.date(), "placed"): (1, 10),
        (tomorrow.date(), "approved"): (1, 10),
        (tomorrow.date(), "shipped"): (1, Decimal("2.5")),
    }


def test_every_event_of_the_area_is_taken_in_by_some_projection() -> None:
    assert REGISTRY.events.keys() <= {name for each in PROJECTIONS for name in each.handlers}


def test_the_newest_order_names_the_customer_in_whatever_order_they_come() -> None:
    history = History()
    history.run(place("2", customer_name="New name", country="EIRE"), START + timedelta(days=2))
    history.run(place("1", customer_name="Old name", country="France"), START)
    (account,) = testing.fold([PROJECTIONS[2]], history.recorded).all(customer_accounts)
    assert (account["name"], account["country"]) == ("New name", "Ireland")


def test_no_table_belongs_to_two_projections() -> None:
    assert len({table.name for table in TABLES}) == len(TABLES)
