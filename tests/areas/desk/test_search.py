"""Searching orders by words, with any input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, text

from cqrs_app.areas.desk.projections.orders import OrdersProjection
from cqrs_app.areas.desk.read_models import order_texts, orders
from cqrs_app.areas.desk.search import (
    LONGEST_TEXT,
    create_search,
    drop_search,
    few,
    matching,
    searchable,
    with_more,
)
from cqrs_app.areas.orders import commands as do
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.search_words import index_words, tokenize
from tests.areas.desk.history import TABLES, History, project
from tests.areas.orders.given import line, place


def a_shop() -> History:
    history = History()
    history.run(
        place(
            "536365",
            line("85123A", what="WHITE HANGING HEART T-LIGHT HOLDER"),
            line("71053", what="WHITE METAL LANTERN"),
            customer_name="Anna O'Neill-Łukasz",
            shipping_address=do.ShippingAddress(city="Nowhere"),
        )
    )
    history.run(
        place(
            "536366",
            line("22633", what="HAND WARMER UNION JACK, 12\N{DOUBLE PRIME} café"),
            line("gift_0001_80", what="Dotcomgiftshop Gift Voucher £80.00"),
            line("AB 12-34 C", what="T-SHIRT"),
            customer_id="",
            country="Ireland",
        )
    )
    history.run(
        place(
            "ORD-2024.7_x",
            line("1e5", what="5.5e3 10e"),
            customer_name="Österreich",
            country="Austria",
        )
    )
    history.run(do.ApproveOrder(order_id="536365"))
    history.run(do.ShipOrder(order_id="536365", tracking="JD014-600/77"))
    history.run(do.ApproveOrder(order_id="536366"))
    history.run(do.ShipOrder(order_id="536366", tracking="1Z 999 AA1 0123"))
    return history


@pytest.fixture(scope="module")
def log() -> Sequence[Recorded]:
    return a_shop().recorded


def found(connection: Connection, written: str) -> list[str]:
    condition = matching(written, connection.dialect.name)
    rows = connection.execute(select(orders.c.order_id).where(condition)).scalars()
    return sorted(rows)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("536365", ["536365"]),
        ("5363", ["536365", "536366"]),
        ("white", ["536365"]),
        ("WHITE lantern", ["536365"]),
        ("lantern white", ["536365"]),
        ("lantern whi", ["536365"]),
        ("whi lantern", []),
        ("white warmer", []),
        ("t-light", ["536365"]),
        ("o'neill", ["536365"]),
        ("oneill", ["536365"]),
        ("O\N{RIGHT SINGLE QUOTATION MARK}Neill", ["536365"]),
        ("O\N{MODIFIER LETTER APOSTROPHE}Neill", ["536365"]),
        ("85123a", ["536365"]),
        ("17850", ["536365", "ORD-2024.7_x"]),
        ("united kingdom", ["536365"]),
        ("gift_0001", ["536366"]),
        ("£80.00", ["536366"]),
        ("cafe", ["536366"]),
        ("CAFÉ", ["536366"]),
        ("osterreich", ["ORD-2024.7_x"]),
        ("ord-2024.7_x", ["ORD-2024.7_x"]),
        ("1e5", ["ORD-2024.7_x"]),
        ("5e3", ["ORD-2024.7_x"]),
        ("10e", ["ORD-2024.7_x"]),
        ("JD014-600/77", ["536365"]),
        ("jd014 60", ["536365"]),
        ("lukasz", ["536365"]),
        ("jd01460077", ["536365"]),
        ("JD014 600 77", ["536365"]),
        ("85 123A", ["536365"]),
        ("85-123", ["536365"]),
        ("white 85-123A", ["536365"]),
        ("85-123A white", ["536365"]),
        ("ab1234c", ["536366"]),
        ("AB-1234 C", ["536366"]),
        ("ab 12 34", ["536366"]),
        ("gift000180", ["536366"]),
        ("tshirt voucher", ["536366"]),
        ("1Z999AA10123", ["536366"]),
        ("1z-999-aa1 01", ["536366"]),
        ("", ["536365", "536366", "ORD-2024.7_x"]),
        ("   ", ["536365", "536366", "ORD-2024.7_x"]),
        ("!!!", []),
    ],
)
def test_words_are_found_whole_and_the_last_one_by_its_beginning(
    shop: Connection, written: str, expected: list[str]
) -> None:
    assert found(shop, written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "'",
        '"',
        '" OR "',
        "' OR 1=1 --",
        "white AND",
        "NOT white",
        "NEAR(white, lantern)",
        "search: white",
        "white*",
        "-white",
        "^white",
        "(white",
        "white & | ! <->",
        "white:*",
        "white:A",
        "%_\\",
        "\\'",
        "\x00white\x00",
        "\ud800",
        "🎁 白い",
        "ﬁ ½ ℡ İ ß",
        "a " * 100,
        "x" * 5_000,
        "white\tlantern\n",
        "$1 :terms ?",
        "{} %s %(terms)s",
    ],
)
def test_no_input_breaks_the_search(shop: Connection, written: str) -> None:
    found(shop, written)


def test_signs_between_words_mean_nothing(shop: Connection) -> None:
    for written in ("white*", "-white", "(white", "^white", '"white"', "\x00white"):
        assert found(shop, written) == ["536365"]


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(max_size=60))
def test_any_text_at_all_can_be_typed(shop: Connection, written: str) -> None:
    found(shop, written)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(min_size=1, max_size=30).filter(tokenize))
def test_what_an_order_says_finds_it(connection: Connection, written: str) -> None:
    connection.execute(order_texts.delete())
    connection.execute(orders.delete())
    history = History()
    kept = "".join(char for char in written if char.isprintable() and char.isascii()) or "x"
    history.run(place("1", line(what=kept)))
    project(connection, history.recorded)
    connection.execute(order_texts.update().values(search=searchable(index_words([written]))))
    assert found(connection, written) == ["1"]


def test_removed_orders_are_found_no_more(shop: Connection) -> None:
    for table in TABLES:
        shop.execute(table.delete())
    assert found(shop, "white") == []
    project(shop, a_shop().recorded)
    assert found(shop, "white") == ["536365"]


def test_the_index_agrees_with_the_texts(shop: Connection) -> None:
    if shop.dialect.name == "sqlite":
        shop.execute(
            text("INSERT INTO order_search(order_search, rank) VALUES ('integrity-check', 1)")
        )
    else:
        shop.execute(text("SET LOCAL enable_seqscan = off"))
        plan = shop.execute(
            text(
                "EXPLAIN SELECT row_id FROM order_texts WHERE"
                " array_to_tsvector(string_to_array(order_texts.search, ' '))"
                " @@ CAST('''white'':*' AS tsquery)"
            )
        )
        assert "ix_order_texts_search" in " ".join(plan.scalars())


def test_emptied_tables_are_filled_and_found_again(shop: Connection) -> None:
    with OrdersProjection().refilled(shop):
        assert not shop.execute(select(order_texts)).all()
        project(shop, a_shop().recorded)
    assert found(shop, "white") == ["536365"]
    test_the_index_agrees_with_the_texts(shop)


def test_the_index_can_be_made_twice_and_taken_away(shop: Connection) -> None:
    create_search(shop)
    drop_search(shop)
    drop_search(shop)
    project(shop, a_shop().recorded)


def test_words_are_kept_once_and_long_orders_leave_room_for_tracking_numbers() -> None:
    long = searchable(f"word{number}" for number in range(10_000))
    assert len(long) <= LONGEST_TEXT - 1_000
    more = with_more(long, ["jd014", "word1"])
    assert more.endswith(" jd014")
    assert len(with_more(more, (f"t{number}" for number in range(10_000)))) <= LONGEST_TEXT


def test_few_orders_are_named_and_many_are_not(
    shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_postgresql = shop.dialect.name == "postgresql"
    assert len(list(few("white heart", shop))) == on_postgresql
    assert not list(few(" ", shop))
    assert not list(few("?", shop))
    for condition in few("white heart", shop):
        assert list(shop.execute(select(orders.c.order_id).where(condition)).scalars()) == [
            "536365"
        ]
    for condition in few("zebra", shop):
        assert not list(shop.execute(select(orders.c.order_id).where(condition)))

    monkeypatch.setattr("cqrs_app.areas.desk.search.FEW", 1)
    assert not list(few("5363", shop))  # both


def test_a_rare_word_is_looked_up_in_the_index(connection: Connection) -> None:
    """In a list of many orders, whatever the planner assumes about the word."""
    if connection.dialect.name != "postgresql":
        pytest.skip("SQLite always asks its index first")
    connection.exec_driver_sql(
        "INSERT INTO order_texts (row_id, order_id, search)"
        " SELECT i, 'A' || i, 'a' || i || ' anna france' FROM generate_series(1, 20000) AS i"
    )
    connection.exec_driver_sql("ANALYZE order_texts")
    asked: list[tuple[str, Any]] = []

    def _note(*call: Any) -> None:
        asked.append((call[2], call[3]))

    event.listen(connection, "before_cursor_execute", _note)
    list(few("anna a777", connection))
    event.remove(connection, "before_cursor_execute", _note)

    _, (statement, parameters), _ = asked
    assert connection.exec_driver_sql("SHOW enable_seqscan").scalar_one() == "on"
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
    assert "ix_order_texts_search" in plan, plan
