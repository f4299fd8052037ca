"""The orders' rows are rebuilt beside and swapped in, with everything that belongs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import Engine, inspect, text

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.projections.generation import SUFFIX
from cqrs_app.platform.runtime.commands import RebuildBeside, SwapProjection, SwitchBack
from cqrs_app.services import services_of
from tests.kernel.projections.test_generations import act


def named(engine: Engine) -> dict[str, Any]:
    """The indexes and constraints of the live tables, by their names."""
    inspector = inspect(engine)
    return {
        table: (
            inspector.get_pk_constraint(table),
            sorted(each["name"] for each in inspector.get_unique_constraints(table)),
            sorted((each["name"], *each["column_names"]) for each in inspector.get_indexes(table)),
        )
        for table in inspector.get_table_names()
        if table.startswith("order") and SUFFIX not in table
    }


def found(engine: Engine) -> tuple[Any, ...]:
    """What is found by index, and by words."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            words = "order_search WHERE order_search MATCH 'tea OR mug OR lantern OR 10001'"
        else:
            words = "order_texts WHERE search ILIKE '%10001%'"
        return (
            connection.execute(text("SELECT count(*) FROM v_orders")).scalar_one(),
            connection.execute(
                text("SELECT total FROM orders WHERE order_id = 'CS-10001'")
            ).scalar_one(),
            connection.execute(text(f"SELECT count(*) FROM {words}")).scalar_one(),
        )


def test_indexes_constraints_views_and_the_search_go_with_the_rows_there_and_back(
    make_shop: Callable[..., Flask],
) -> None:
    kernel: Kernel = services_of(make_shop()).kernel
    engine = kernel.engines.read
    names, before = named(engine), found(engine)
    assert before[2], "some words are found"
    act(kernel, RebuildBeside(projection="orders"))
    while kernel.builder.work(10):
        pass
    for command in (
        SwapProjection(projection="orders"),
        SwitchBack(projection="orders"),
    ):
        act(kernel, command)
        assert kernel.builder.rows()["orders"].problem is None
        assert (named(engine), found(engine)) == (names, before)
