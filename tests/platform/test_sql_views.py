"""The views for analysts: decimals, comments, and that migrations keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, inspect, text

from cqrs_app import database
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import read_tables
from cqrs_app.platform import sql_views
from cqrs_app.platform.sql_views import VIEWS
from cqrs_app.services import services_of
from tests.processes.running import PROJECT

BEHIND = {
    # How far read models are and whether they are right.
    *("checkpoints", "digests", "parked_events", "projection_generations", "reconciliations"),
    # What figures are summed from, and where those of merged customers went.
    *("accounts_of_merged", "orders_of_merged", "sales_of_merged", "sales_orders"),
    *("sales_payments", "sold_products", "product_sales", "customer_counts", "order_activity"),
    # Texts of people, and figures that v_sales_days and v_orders give.
    *("customer_history", "order_texts", "order_timeline", "payment_timeline"),
    *("customer_days", "order_days"),
    # The audit trail is exported and sent elsewhere; webhooks have addresses.
    *("audit_entries", "webhooks"),
}
"""Tables of the read store without a view."""
NAMES = {view.name for view in VIEWS}


@pytest.fixture
def shop(make_shop: Callable[..., Flask]) -> Flask:
    return make_shop()


@pytest.fixture
def connection(shop: Flask) -> Iterator[Connection]:
    with services_of(shop).kernel.engines.read.connect() as connection:
        yield connection


def rows(connection: Connection, sql: str) -> list[Any]:
    return list(connection.execute(text(sql)))


def test_every_read_model_has_a_view() -> None:
    assert {view.table.name for view in VIEWS} == {*read_tables.tables} - BEHIND


def test_amounts_are_decimals_and_rows_are_those_of_the_tables(connection: Connection) -> None:
    for view in VIEWS:
        [(there,)] = rows(connection, f"SELECT count(*) FROM {view.name}")
        [(stored,)] = rows(connection, f"SELECT count(*) FROM {view.table.name}")
        assert there == stored
    shown = dict(rows(connection, "SELECT order_id, total FROM v_orders"))
    stored = dict(rows(connection, "SELECT order_id, total FROM orders"))
    assert shown
    for order_id, total in shown.items():
        assert Decimal(str(total)) == Decimal(stored[order_id]).scaleb(-4)
    if connection.dialect.name == "postgresql":
        assert {type(total) for total in shown.values()} == {Decimal}


def test_lines_come_to_the_total_of_their_order(connection: Connection) -> None:
    differing = """
    SELECT o.order_id, o.total, sum(l.amount) FROM v_orders o JOIN v_order_lines l USING (order_id)
    GROUP BY o.order_id, o.total HAVING abs(o.total - sum(l.amount)) >= 0.01
    """
    assert rows(connection, differing) == []


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_postgresql_tells_what_each_view_and_column_is(connection: Connection) -> None:
    inspector = inspect(connection)
    for view in VIEWS:
        assert inspector.get_table_comment(view.name) == {"text": view.about}
        comments = {each["name"]: each["comment"] for each in inspector.get_columns(view.name)}
        assert comments.items() >= view.comments().items()
        assert view.comments().keys() <= comments.keys()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_sqlite_keeps_the_comments_in_the_statement(connection: Connection) -> None:
    [(sql,)] = rows(connection, "SELECT sql FROM sqlite_master WHERE name = 'v_orders'")
    assert "/* Orders as they are now, one row each. */" in sql
    assert "total / 10000.0 AS total /* In the row's currency. */" in sql


def test_nothing_personal_is_in_a_view() -> None:
    """Names, addresses and texts that people write of them are found by the ids."""
    hidden = {"customer_name", "name", "email", "phone", "search"}
    for view in VIEWS:
        columns = set(view.columns.split())
        assert not columns & hidden
        assert not any(each.startswith("ship_") for each in columns)


def test_a_rebuild_keeps_the_views(shop: Flask, connection: Connection) -> None:
    kernel: Kernel = services_of(shop).kernel
    query = "SELECT order_id, status, total FROM v_orders ORDER BY order_id"
    before = rows(connection, query)
    connection.rollback()
    kernel.runner.rebuild("orders", lambda done, total: None)
    assert rows(connection, query) == before


def test_migrations_up_and_down_keep_the_views(shop: Flask, connection: Connection) -> None:
    settings = services_of(shop).settings
    assert set(inspect(connection).get_view_names()) == NAMES
    connection.rollback()
    database.downgrade(settings, "read", "read_0012")
    assert set(inspect(connection).get_view_names()) == set()
    connection.rollback()
    database.upgrade(settings)
    assert set(inspect(connection).get_view_names()) == NAMES
    rows(connection, "SELECT cancelled_quantity FROM v_order_lines")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_views_that_are_made_again_keep_what_was_granted(
    shop: Flask, connection: Connection
) -> None:
    connection.execute(text("GRANT SELECT ON v_orders TO PUBLIC"))
    connection.execute(text("DROP VIEW v_fulfilments"))
    connection.commit()
    database.upgrade(services_of(shop).settings)
    assert set(inspect(connection).get_view_names()) == NAMES
    granted = "SELECT table_name, grantee FROM information_schema.role_table_grants"
    found = rows(connection, f"{granted} WHERE grantee = 'PUBLIC' AND table_name LIKE 'v\\_%'")
    assert found == [("v_orders", "PUBLIC")]


def test_a_store_that_is_up_to_date_keeps_the_views_it_has(
    shop: Flask, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creating them again would wait for everyone who reads one."""
    connection.rollback()
    monkeypatch.setattr(sql_views, "drop", lambda connection: pytest.fail("dropped"))
    database.upgrade(services_of(shop).settings)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_views_of_others_are_named_and_nothing_is_changed(
    shop: Flask, connection: Connection
) -> None:
    connection.execute(text("CREATE VIEW mine AS SELECT order_id FROM v_orders"))
    connection.execute(text("DROP VIEW v_fulfilments"))
    connection.commit()
    result = shop.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 1
    assert "other views depend on them: view mine depends on view v_orders." in result.stderr
    assert "Traceback" not in result.stderr
    assert set(inspect(connection).get_view_names()) == NAMES - {"v_fulfilments"} | {"mine"}


def test_the_documentation_names_every_view() -> None:
    guide = (PROJECT / "docs" / "sql.md").read_text(encoding="utf-8")
    for view in VIEWS:
        assert f"`{view.name}`" in guide
