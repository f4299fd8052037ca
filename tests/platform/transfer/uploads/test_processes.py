"""Imports beside real workers and sweeps, that are killed and lose their Redis."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import psutil
import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select, update

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.transfer.uploads.tables import imports
from cqrs_app.platform.transfer.uploads.work import LEASE
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.interfaces.web.pages.conftest import client_in, order_in, process_of, wait_until
from tests.platform.transfer.imports.test_online_retail import HEADER
from tests.platform.transfer.uploads.conftest import id_in, kept, row_of, send, work_of
from tests.processes.running import PROJECT, ended, family

ORDERS = 1_200
pytestmark = pytest.mark.slow


def many(count: int = ORDERS) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(
        [
            HEADER,
            *(
                (str(600_000 + n), "A", "x", "2", "2010-12-01 08:26:00", "1.255", str(n % 50), "UK")
                for n in range(count)
            ),
        ]
    )
    return text.getvalue().encode()


def importer_of(worker: subprocess.Popen[str]) -> psutil.Process | None:
    """The process beside a worker that takes a file in."""
    found = (each for each in family(worker.pid) if "run-import" in each.cmdline())
    return next(found, None)


def importer_after(kernel: Kernel, events: int, worker: subprocess.Popen[str]) -> psutil.Process:
    """The same, as soon as it has written so many events."""
    wait_until(lambda: kernel.store.head() > events)
    importer = importer_of(worker)
    assert importer is not None
    return importer


def totals(app: Flask) -> tuple[int, Decimal]:
    kernel: Kernel = services_of(app).kernel
    with kernel.engines.read.connect() as connection:
        return tuple(connection.execute(select(func.count(), func.sum(orders.c.total))).one())  # type: ignore[return-value]


def is_over(app: Flask, import_id: str) -> bool:
    return row_of(app, import_id).state in ("done", "failed")


def assert_exact(app: Flask, import_id: str, count: int = ORDERS) -> None:
    row, gross = row_of(app, import_id), count * Decimal("2.510")
    assert (row.state, row.sentence) == ("done", None)
    report = json.loads(row.report)
    assert (report["orders"], report["gross"], report["taken"]) == (count, str(gross), count)
    assert totals(app) == (count, gross)


def test_a_worker_has_it_taken_in_and_does_its_other_work_meanwhile(console: Flask) -> None:
    client, kernel = client_in(console, "admin"), services_of(console).kernel
    with process_of(console, "worker") as worker:
        # Many, so that the worker has its time while they are taken in.
        import_id = id_in(send(client, many(4_000)))
        importer = importer_after(kernel, 200, worker)
        kernel.close()
        wait_until(lambda: totals(console)[0] > 0)
        assert row_of(console, import_id).state == "running"
        wait_until(lambda: is_over(console, import_id), 90)
        assert_exact(console, import_id, 4_000)
        # The worker takes note of its end: none is left behind as a zombie.
        wait_until(lambda: not importer.is_running())


def test_killed_in_the_middle_it_goes_on_and_ends_with_the_same_totals(console: Flask) -> None:
    client, kernel = client_in(console, "admin"), services_of(console).kernel
    with process_of(console, "worker") as worker:
        import_id = id_in(send(client, many()))
        importer = importer_after(kernel, 200, worker)
        worker.kill()
        importer.kill()
        assert ended([importer])
    killed_at = kernel.store.head()
    assert 200 < killed_at < ORDERS
    assert row_of(console, import_id).state == "running"
    _let_the_lease_end(kernel, import_id)
    with process_of(console, "sweep"):
        wait_until(lambda: is_over(console, import_id), 90)
    assert row_of(console, import_id).attempts == 2
    assert_exact(console, import_id)


def test_an_import_that_loses_its_worker_stops_and_is_taken_up_again(console: Flask) -> None:
    client, kernel = client_in(console, "admin"), services_of(console).kernel
    with process_of(console, "worker") as worker:
        import_id = id_in(send(client, many()))
        importer = importer_after(kernel, 200, worker)
        # Held up until it is time for it to look around.
        importer.suspend()
        worker.kill()
        worker.wait()
        time.sleep(LEASE.length.total_seconds() / 6 + 1)
        importer.resume()
        assert ended([importer], 60)
    assert kernel.store.head() < ORDERS
    # No lease has to expire: the process reported that it stopped.
    assert work_of(console).due() == import_id
    with process_of(console, "sweep"):
        wait_until(lambda: is_over(console, import_id), 90)
    assert row_of(console, import_id).attempts == 2
    assert_exact(console, import_id)


def test_with_redis_flushed_the_sweep_takes_it_in(console: Flask, redis_url: str) -> None:
    client = client_in(console, "admin")
    import_id = id_in(send(client, many(50)))
    services_of(console).kernel.close()
    redis = Redis.from_url(redis_url)
    redis.flushdb()
    redis.close()
    with process_of(console, "sweep"):
        wait_until(lambda: is_over(console, import_id))
    assert row_of(console, import_id).state == "done"
    assert totals(console)[0] == 50


def test_a_console_started_in_another_folder_takes_it_in(console: Flask, tmp_path: Path) -> None:
    import_id = id_in(send(client_in(console, "admin"), many(50)))
    environment = environment_of(console)
    # Nothing but the path to the application says where it is.
    del environment["PYTHONPATH"]
    flask = (sys.executable, "-m", "flask", "--app", str(PROJECT / "app"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    process = subprocess.Popen([*flask, "sweep"], cwd=elsewhere, env=environment)
    try:
        wait_until(lambda: is_over(console, import_id))
    finally:
        process.kill()
        process.wait()
    assert row_of(console, import_id).state == "done"
    assert totals(console)[0] == 50


def test_a_queued_start_is_carried_out_before_anything_is_taken_in(
    make_console: object,
) -> None:
    app = make_console(command_bus_type="asynchronous")  # type: ignore[operator]
    import_id = id_in(send(client_in(app, "supervisor"), many(50)))
    assert services_of(app).kernel.store.load(f"import-{import_id}") is None
    with process_of(app, "sweep"):
        wait_until(lambda: is_over(app, import_id))
    assert row_of(app, import_id).state == "done"
    assert kept(app)[0] == 1
    assert order_in(app, "placed")


def _let_the_lease_end(kernel: Kernel, import_id: str) -> None:
    with kernel.engines.write.begin() as connection:
        connection.execute(
            update(imports)
            .where(imports.c.import_id == import_id)
            .values(lease_until=imports.c.started_at)
        )
