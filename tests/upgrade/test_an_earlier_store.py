"""A store of an earlier release opens, catches up, verifies and rebuilds equal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from flask import Flask
from sqlalchemy import select

from cqrs_app import create_app, database
from cqrs_app.areas.fulfilment.store import process_of
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.privacy.data_keys import DataKeys
from cqrs_app.kernel.privacy.rotation import Rotation
from cqrs_app.kernel.verification.seals import LogName
from cqrs_app.platform.webhooks.tables import webhook_secrets
from cqrs_app.services import services_of
from tests.console import close


def test_its_log_verifies(shop: Flask, earlier: dict[str, Any]) -> None:
    kernel: Kernel = services_of(shop).kernel
    kernel.store.place()
    reports = list(kernel.verify_streams())
    while kernel.seals.extend():
        pass
    reports_of_logs = list(kernel.verify_logs())
    assert [report for report in (*reports, *reports_of_logs) if report.fault] == []
    assert sum(report.entries for report in reports) == len(earlier["write"]["events"])


def test_what_was_sealed_before_commands_had_numbers_verifies(shop: Flask) -> None:
    services = services_of(shop)
    kernel, settings = services.kernel, services.settings
    while kernel.seals.extend():
        pass
    services.accounts.create("mia", "viewer", "marble-otter-quilt-91")
    while kernel.seals.extend():
        pass
    kept = {log: kernel.seals.latest(log) for log in get_args(LogName)}
    database.downgrade(settings, "write", "write_0052")
    database.upgrade(settings)
    services.accounts.create("ben", "viewer", "marble-otter-quilt-91")
    assert [each for each in kernel.verify_logs(kept) if each.fault] == []
    while kernel.seals.extend():
        pass
    assert [each for each in kernel.verify_logs(kept) if each.fault] == []
    assert kernel.seals.latest("commands").entries > kept["commands"].entries


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


def test_its_master_key_is_replaced_and_its_secrets_are_sealed(shop: Flask) -> None:
    services = services_of(shop)
    kernel: Kernel = services.kernel
    kernel.vault.data_keys.make(kernel.clock())  # as every upgrade asks for, and none does here
    secrets = select(webhook_secrets.c.webhook_id, webhook_secrets.c.secret)
    with kernel.engines.write.connect() as connection:
        before = {row.webhook_id: row.secret for row in connection.execute(secrets)}
    assert all(each.startswith("whsec_") for each in before.values())
    kernel.tasks["webhooks"].task.housekeep(kernel)
    while kernel.seals.extend():
        pass
    events = kernel.store.follow(0, 1_000)
    read = [kernel.vault.open(each.payload, each.stream) for each in events]

    masters = ("a new master key", *services.settings.personal_data_keys())
    both = DataKeys(kernel.engines.write, lambda: masters, "countersign")
    done = Rotation(kernel.engines.write, both, kernel.clock, lambda seconds: None).run()
    assert done.of_persons > 0

    after = create_app(replace(services.settings, personal_data_key=masters[0]))
    try:
        rotated = services_of(after).kernel
        assert [rotated.vault.open(each.payload, each.stream) for each in events] == read
        assert any(text != each.payload for text, each in zip(read, events, strict=True))
        assert [each.fault for each in rotated.verify_logs() if each.fault] == []
        with rotated.engines.write.connect() as connection:
            sealed = {row.webhook_id: row.secret for row in connection.execute(secrets)}
        assert not [each for each in before.values() if each in sealed.values()]
        assert {
            name: rotated.vault.open_credential(each, name) for name, each in sealed.items()
        } == before
    finally:
        close(after)


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
