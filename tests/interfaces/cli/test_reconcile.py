"""`flask reconcile`: what differs is named, repaired as a logged command, and shown elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select, update

from cqrs_app.areas.desk.read_models import order_lines, orders
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.runtime import health, metrics
from cqrs_app.platform.runtime.problems import problems
from cqrs_app.services import services_of
from tests.console import MakeConsole


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    return make_shop()


@pytest.fixture
def kernel(shop: Flask) -> Kernel:
    made: Kernel = services_of(shop).kernel
    return made


def run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["reconcile", *options])


def corrupt(kernel: Kernel) -> tuple[str, str]:
    """One order gets another city, another loses its lines; returns their numbers."""
    with kernel.engines.read.begin() as connection:
        one, two = connection.execute(select(orders.c.order_id).limit(2)).scalars()
        connection.execute(update(orders).where(orders.c.order_id == one).values(ship_city="Ulm"))
        connection.execute(delete(order_lines).where(order_lines.c.order_id == two))
    return one, two


def test_read_models_that_are_equal_end_with_status_0(shop: Flask) -> None:
    found = run(shop)
    assert found.exit_code == 0
    number = len(services_of(shop).kernel.registry.projections)
    compared = f"rows of {number} projections compared, {number} of them also with their events"
    assert compared in found.stdout
    assert msgspec.json.decode(run(shop, "orders", "--json").stdout)["equal"] is True


def test_drift_is_named_by_order_and_field_and_changes_nothing(shop: Flask, kernel: Kernel) -> None:
    one, two = corrupt(kernel)
    found = run(shop)
    assert found.exit_code == 1
    assert f"    orders {one}: ship_city is Ulm, should be " in found.stdout
    assert f"    order_lines {two} 1: missing row" in found.stdout
    again: dict[str, Any] = msgspec.json.decode(run(shop, "orders", "--json").stdout)
    (row,) = again["projections"]
    assert (again["equal"], row["tables_changed"]) == (False, ["orders", "order_lines"])
    assert row["samples"][0]["key"] == [one]
    assert row["samples"][0]["fields"]["ship_city"]["is"] == "Ulm"


def test_a_repair_is_a_logged_command_and_leaves_equal_rows(shop: Flask, kernel: Kernel) -> None:
    one, _ = corrupt(kernel)
    partly = run(shop, "orders", "--repair", "--only", one)
    assert partly.exit_code == 1
    assert "1 repaired" in partly.stdout
    whole = run(shop, "--repair")
    assert whole.exit_code == 0
    with kernel.engines.write.connect() as connection:
        of_repairs = command_log.c.type == "RepairProjection"
        logged = connection.execute(
            select(command_log.c.payload).where(of_repairs).order_by(command_log.c.received_at)
        )
        asked = [msgspec.json.decode(payload) for payload in logged.scalars()]
    assert asked == [{"projection": "orders", "only": one}, {"projection": "orders", "only": ""}]
    assert run(shop).exit_code == 0


def test_a_repair_that_was_asked_for_elsewhere_is_done_when_it_is_due(
    shop: Flask, kernel: Kernel
) -> None:
    run(shop)
    corrupt(kernel)
    asked = shop.test_cli_runner().invoke(
        args=["command", "RepairProjection", "--projection", "orders"]
    )
    assert asked.exit_code == 0
    kernel.runner.advance("projection_control")
    task = kernel.tasks["reconciliation"].task
    assert task.due(kernel) == ["all"]
    found = run(shop, "--due", "--quiet")
    assert found.exit_code == 0
    assert "repaired" in found.stdout
    assert task.due(kernel) == []
    assert run(shop).exit_code == 0


def test_what_is_no_projection_is_refused_in_a_sentence(shop: Flask) -> None:
    found = run(shop, "nothing")
    assert "There is no projection called nothing." in found.stderr
    assert "Add --repair." in run(shop, "--only", "A-1").stderr
    other = shop.test_cli_runner().invoke(
        args=["command", "RepairProjection", "--projection", "payment_requests"]
    )
    assert "payment_requests is no projection" in other.stderr


def test_what_another_process_compares_now_is_left_out(shop: Flask, kernel: Kernel) -> None:
    with kernel.reconciler.leased(["orders"]) as mine:
        assert mine == ["orders"]
        found = run(shop, "orders", "ledger")
    assert found.exit_code == 0
    assert "another process compares them now: orders." in found.stderr
    assert "orders" in run(shop, "orders").stdout


def test_drift_is_a_problem_a_fault_and_a_metric(shop: Flask, kernel: Kernel) -> None:
    corrupt(kernel)
    run(shop)
    (drift,) = [each for each in problems(kernel, health.look(kernel)) if each.kind == "drift"]
    assert (drift.subject, drift.level) == ("orders", "bad")
    doctor = shop.test_cli_runner().invoke(args=["doctor", "--json"])
    told = msgspec.json.decode(doctor.stdout)["findings"]
    faults = [each for each in told if (each["name"], each["state"]) == ("Reconciliation", "fault")]
    assert [each["todo"] for each in faults] == ["Run `flask reconcile orders --repair`."]
    lines = metrics.exposition(kernel, {}).decode().splitlines()
    assert 'countersign_reconciliation_drift{projection="orders"} 1.0' in lines
    assert 'countersign_reconciliation_drift{projection="ledger"} 0.0' in lines
    assert 'countersign_family_failed{family="reconciliation"} 0.0' in lines
    age = 'countersign_reconciliation_compared_timestamp_seconds{projection="orders"}'
    assert any(line.startswith(age) for line in lines)
    run(shop, "--repair")
    assert not [each for each in problems(kernel, health.look(kernel)) if each.kind == "drift"]
    doctor = shop.test_cli_runner().invoke(args=["doctor"])
    assert "rows proven equal 0 minutes ago." in doctor.stdout
