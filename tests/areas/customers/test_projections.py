"""Whatever was done, the read models are the fold of the events, and erasing empties them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.customers.read_models import (
    customer_counts,
    customer_history,
    customer_profiles,
)
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.kernel import testing
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store.tables import digests, read_tables
from tests.areas.customers.history import REGISTRY, START, History, histories, unreadable
from tests.areas.desk.history import AREAS as ORDER_AREAS
from tests.areas.desk.history import TABLES, fold
from tests.areas.desk.history import History as OrderHistory
from tests.areas.desk.shop import histories as order_histories
from tests.read_stores import stored_rows, write_rows

MINE = (customer_profiles, customer_counts, customer_history)
BOTH = Registry([*ORDER_AREAS, CUSTOMERS])


def rows_of(events: list[Recorded]) -> Rows:
    rows = Rows()
    REGISTRY.projections["customer_profiles"].apply(events, rows)
    return rows


@settings(deadline=None, max_examples=100)
@given(histories(), st.integers(1, 6))
def test_rows_written_batch_by_batch_are_the_fold_of_all_events(
    history: History, size: int
) -> None:
    events = history.recorded
    folded, engine = rows_of(events), create_engine("sqlite://")
    projection = REGISTRY.projections["customer_profiles"]
    with engine.begin() as connection:
        read_tables.create_all(connection, tables=[*MINE, digests])
        write_rows(connection, [projection], events, [size])
        for table in MINE:
            assert stored_rows(connection, table) == folded.all(table), table.name
    engine.dispose()


@settings(deadline=None, max_examples=100)
@given(histories())
def test_counts_are_a_recount(history: History) -> None:
    rows = rows_of(history.recorded)
    counted = {row["status"]: row["customers"] for row in rows.all(customer_counts)}
    recounted = Counter(row["status"] for row in rows.all(customer_profiles))
    assert {status: number for status, number in counted.items() if number} == recounted


@settings(deadline=None, max_examples=100)
@given(histories())
def test_a_replay_that_can_read_no_value_gives_the_same_rows(history: History) -> None:
    events = history.recorded
    erased = {each.event.subject for each in events if isinstance(each.event, SubjectErased)}
    replay = [unreadable(each) if each.stream in erased else each for each in events]
    folded, again = rows_of(events), rows_of(replay)
    for table in MINE:
        assert again.all(table) == folded.all(table), table.name
    for row in folded.all(customer_profiles):
        if f"customer-{row['customer_id']}" in erased:
            assert {row["name"], row["email"], row["phone"]} <= {"", ERASED}


@settings(deadline=None, max_examples=100)
@given(order_histories())
def test_orders_of_an_erased_customer_are_those_of_a_replay(history: OrderHistory) -> None:
    stream, whose = "customer-17850", "17850"
    log = testing.History(BOTH, START)
    for each in history.recorded:
        log.record(each.stream, [each.event], each.occurred_at)
    log.record(stream, [SubjectErased(subject=stream)])
    live = log.recorded
    mine = {each.stream for each in live if getattr(each.event, "customer_id", "") == whose}
    replay = [unreadable(each, BOTH.codec) if each.stream in mine else each for each in live]
    folded, again = fold(live), fold(replay)
    for table in TABLES:
        assert again.all(table) == folded.all(table), table.name
    for row in folded.all(orders):
        if row["customer_id"] == whose:
            assert {row["customer_name"], row["ship_line1"], row["ship_city"]} <= {"", ERASED}
