"""A store of an earlier release opens, catches up, verifies and rebuilds equal."""

from __future__ import annotations

from typing import Any

from flask import Flask

from cqrs_app.areas.fulfilment.store import process_of
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of


def test_its_log_verifies(shop: Flask, earlier: dict[str, Any]) -> None:
    kernel: Kernel = services_of(shop).kernel
    kernel.store.place()
    reports = list(kernel.verify_streams())
    while kernel.seals.extend():
        pass
    reports_of_logs = list(kernel.verify_logs())
    assert [report for report in (*reports, *reports_of_logs) if report.fault] == []
    assert sum(report.entries for report in reports) == len(earlier["write"]["events"])


def test_every_projection_catches_up_and_a_rebuild_gives_the_same_rows(shop: Flask) -> None:
    kernel: Kernel = services_of(shop).kernel
    for name, cursor in kernel.runner.cursors("read").items():
        kernel.runner.advance(name)
        if cursor.version != kernel.registry.subscriptions[name].version:
            kernel.runner.rebuild(name, lambda done, total: None)  # as its failure asks for
    assert kernel.runner.behind("read") == {}
    caught_up = contents(kernel)
    assert len(caught_up["orders"]) == 11
    for name in kernel.registry.projections:
        kernel.runner.rebuild(name, lambda done, total: None)
    assert contents(kernel) == caught_up


def test_orders_under_way_go_on(shop: Flask) -> None:
    kernel: Kernel = services_of(shop).kernel
    with shop.app_context():
        for _ in range(20):
            for name in kernel.registry.subscriptions:
                kernel.runner.advance(name)
            for name in ("fulfilment", "gateway_requests"):
                task = kernel.registry.tasks[name]
                for key in task.due(kernel):
                    task.work(kernel, key)
    with kernel.engines.write.connect() as connection:
        stages = {
            order_id: process_of(connection, order_id).status.stage
            for order_id in ("done", "short", "midway", "unseen", "waits")
        }
    assert stages == {
        "done": "delivered",
        "short": "out_of_stock",
        "midway": "to_ship",
        "unseen": "to_ship",
        "waits": "",
    }


def contents(kernel: Kernel) -> dict[str, list[str]]:
    """The rows of every read model, in any order and without row numbers."""
    tables = [table for each in kernel.registry.projections.values() for table in each.tables]
    with kernel.engines.read.connect() as connection:
        return {
            table.name: sorted(
                repr([value for key, value in row._mapping.items() if key != "row_id"])
                for row in connection.execute(table.select())
            )
            for table in tables
        }
