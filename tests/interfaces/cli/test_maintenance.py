"""The commands with which a console is looked after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from cqrs_app.interfaces.cli import projections
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.runtime.generations import GenerationView
from cqrs_app.services import services_of
from tests.console import MakeConsole


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    return make_shop()


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=list(arguments))


def test_migrations_are_up_to_date_and_running_them_again_changes_nothing(console: Flask) -> None:
    assert run(console, "db", "upgrade").exit_code == 0
    result = run(console, "db", "check")
    assert result.exit_code == 0, result.output
    assert "The migrations match the models." in result.output


def test_projections_are_listed_and_rebuilt(shop: Flask) -> None:
    kernel: Kernel = services_of(shop).kernel
    statuses = text("SELECT order_id, status FROM orders ORDER BY order_id")
    with kernel.engines.read.begin() as connection:
        before = connection.execute(statuses).all()
        connection.execute(text("UPDATE orders SET status = 'cancelled'"))
    result = run(shop, "projections", "rebuild", "orders")
    assert result.exit_code == 0, result.output
    assert f"orders holds {kernel.store.head()} events." in result.output
    with kernel.engines.read.connect() as connection:
        assert connection.execute(statuses).all() == before
    listed = run(shop, "projections", "list").output
    assert "order_timeline" in listed
    assert "running" in listed
    assert run(shop, "projections", "catch-up").exit_code == 0
    unknown = run(shop, "projections", "rebuild", "nothing")
    assert unknown.exit_code == 2
    assert "There is no projection called nothing." in unknown.output


def test_an_untouched_log_verifies_and_a_changed_one_does_not(shop: Flask) -> None:
    result = run(shop, "events", "verify")
    assert result.exit_code == 0
    assert "0 faults." in result.output
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.write.begin() as connection:
        connection.execute(
            text("UPDATE events SET operator = 'eve' WHERE stream = 'order-CS-10001'")
        )
    result = run(shop, "events", "verify")
    assert result.exit_code == 1
    assert "order-CS-10001: version 1 (OrderPlaced) was changed" in result.output


def test_contracts_are_kept(console: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(console.root_path)
    result = run(console, "events", "contracts")
    assert result.exit_code == 0
    assert "Every event keeps its contract." in result.output


def test_cached_answers_are_forgotten(console: Flask) -> None:
    result = run(console, "cache", "invalidate", "*Orders")
    assert result.exit_code == 0
    assert "0 cached answers forgotten." in result.output


def test_new_rows_are_built_beside_compared_swapped_in_and_back(shop: Flask) -> None:
    kernel: Kernel = services_of(shop).kernel
    statuses = text("SELECT order_id, status FROM orders ORDER BY order_id")
    views = text("SELECT order_id, status FROM v_orders ORDER BY order_id")
    with kernel.engines.read.begin() as connection:
        before = connection.execute(statuses).all()
        connection.execute(
            text(
                "UPDATE orders SET status = 'cancelled', total = 12500 WHERE order_id = 'CS-10001'"
            )
        )
        spoilt = connection.execute(statuses).all()
    built = run(shop, "projections", "rebuild", "orders", "sales", "--beside")
    assert built.exit_code == 1, built.output
    assert "orders CS-10001: status: cancelled -> " in built.output
    assert "; total: 1.2500 -> " in built.output
    refused = run(shop, "projections", "swap", "orders")
    assert refused.exit_code == 1
    assert "1 row of orders differs from the live ones" in refused.output
    assert run(shop, "projections", "swap", "sales").exit_code == 0
    swapped = run(shop, "projections", "swap", "orders", "--accept-differences", "1")
    assert swapped.exit_code == 0, swapped.output
    with kernel.engines.read.connect() as connection:
        assert connection.execute(statuses).all() == before
        assert connection.execute(views).all() == before
    assert "orders, rows beside: previous" in run(shop, "projections", "list").output
    assert run(shop, "projections", "back", "orders").exit_code == 0
    with kernel.engines.read.connect() as connection:
        assert connection.execute(statuses).all() == spoilt
        assert connection.execute(views).all() == spoilt
    assert run(shop, "projections", "compare", "orders").exit_code == 1
    dropped = run(shop, "projections", "drop", "orders", "sales")
    assert dropped.exit_code == 0, dropped.output
    assert run(shop, "projections", "back", "orders").exit_code == 1
    assert run(shop, "db", "check").exit_code == 0


def test_rows_that_could_not_be_compared_are_no_success(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(shop, "projections", "rebuild", "sales", "--beside").exit_code == 0
    found = projections._generations

    def failed(names: Sequence[str] | None = None) -> list[GenerationView]:
        """As the rows are after their building has failed."""
        nothing = {"state": "failed", "compared_at": None, "differences": None}
        return [replace(each, **nothing, problem="It failed.") for each in found(names)]

    monkeypatch.setattr(projections, "_generations", failed)
    compared = run(shop, "projections", "compare", "sales")
    assert compared.exit_code == 1
    assert "sales: failed. It failed." in compared.output


def test_all_projections_are_rebuilt_in_one_pass_and_equal_the_live_rows(shop: Flask) -> None:
    kernel: Kernel = services_of(shop).kernel
    built = run(shop, "projections", "rebuild", "--all", "--beside")
    assert built.exit_code == 0, built.output
    names = [*kernel.registry.projections]
    assert built.output.count(" 0 differ") == len(names)
    swapped = run(shop, "projections", "swap", *names)
    assert swapped.exit_code == 0, swapped.output
    assert run(shop, "db", "check").exit_code == 0
    again = run(shop, "projections", "rebuild", *names)
    assert again.exit_code == 0, again.output
    assert run(shop, "projections", "compare", *names).exit_code == 1
