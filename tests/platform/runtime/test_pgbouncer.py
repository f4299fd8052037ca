"""The console behind a real PgBouncer in transaction mode."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from cqrs_app import create_app, database
from cqrs_app.areas.orders.commands import AddOrderNote
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context, new_id
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.console import close
from tests.interfaces.web.pages.conftest import client_in
from tests.performance.plenty import ADA


def settings(url: str, redis_url: str, folder: Path, pooling: str) -> Settings:
    values = {
        "database_url": url,
        "redis_url": redis_url,
        "data_dir": folder,
        "secret_key": "for tests only",
        "database_pooling": pooling,
        "command_retry_attempts": 50,
    }
    return Settings(**values).resolved()  # type: ignore[arg-type]


@pytest.fixture
def app(pgbouncer_url: str, redis_url: str, tmp_path: Path) -> Iterator[Flask]:
    found = settings(pgbouncer_url, redis_url, tmp_path, "transaction")
    database.upgrade(found)
    app = create_app(found)
    services_of(app).kernel.runner.prepare()
    yield app
    close(app)


def test_commands_projections_and_pages_work(app: Flask) -> None:
    kernel: Kernel = services_of(app).kernel
    load_if_empty(kernel, 20, lambda line: None)
    with kernel.engines.query.connect() as connection:
        orders = connection.exec_driver_sql("SELECT order_id FROM orders LIMIT 8").scalars().all()

    def note(number: int) -> int:
        command = AddOrderNote(order_id=orders[number % 8], note=f"Note {number}.")
        context = Context(actor=ADA, channel="test", command_id=new_id())
        return kernel.commands.execute(command, context).version

    # More clients than the pooler has connections, each statement often enough to be prepared.
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(note, range(160)))
        list(threads.map(kernel.runner.advance, kernel.registry.subscriptions))
    assert kernel.runner.behind() == {}
    client = client_in(app, "admin")
    for path in ("/", "/orders", f"/orders/{orders[0]}", "/customers", "/payments", "/system"):
        assert client.get(path).status_code == 200, path
    assert [each for each in kernel.verify_streams() if each.fault] == []


def test_without_the_setting_the_pooler_refuses_the_session(
    pgbouncer_url: str, redis_url: str, tmp_path: Path
) -> None:
    with pytest.raises(OperationalError, match="unsupported startup parameter"):
        database.upgrade(settings(pgbouncer_url, redis_url, tmp_path, "session"))
