"""The write store was restored from an older backup: the read store is ahead of its log."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import events, streams
from cqrs_app.platform.runtime.commands import PauseProjection, ResumeProjection
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.performance.plenty import do, one_more, settle


@pytest.fixture
def app(make_console: Callable[..., Flask]) -> Flask:
    app = make_console()
    do(app, one_more(0))
    settle(app)
    return app


@pytest.fixture
def kernel(app: Flask) -> Kernel:
    kernel: Kernel = services_of(app).kernel
    return kernel


def restored(app: Flask, kernel: Kernel, after: int) -> None:
    """One more order is placed and shown, and then the write store is that of before again;
    afterwards so many other ones are placed."""
    with kernel.engines.write.connect() as connection:
        backup = {table: connection.execute(select(table)).all() for table in (events, streams)}
    do(app, one_more(1))
    settle(app)
    with kernel.engines.write.begin() as connection:
        for table, rows in backup.items():
            connection.execute(delete(table))
            connection.execute(insert(table), [row._asdict() for row in rows])
    for number in range(after):
        do(app, one_more(100 + number))
    kernel.store.place()


def test_a_list_ahead_of_its_log_says_at_once_that_updates_failed(
    app: Flask, kernel: Kernel
) -> None:
    restored(app, kernel, after=0)
    page = client_in(app, "admin").get("/orders").text
    assert "updates failed" in page


@pytest.mark.parametrize("after", [0, 1, 3])
def test_everything_that_watches_names_it_and_what_to_do(
    app: Flask, kernel: Kernel, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.sweep.PATIENCE_SECONDS", 0.0)
    restored(app, kernel, after)
    Sweep(kernel).once()

    cursor = kernel.runner.cursors()["orders"]
    assert cursor.state == "failed"
    assert cursor.error is not None and "Rebuild" in cursor.error
    client = client_in(app, "admin")
    assert "orders, which has stopped" in client.get("/readyz").json["missing"]
    assert 'countersign_projection_running{projection="orders"} 0.0' in client.get("/metrics").text
    system = client.get("/system").text
    assert "The log is not the one it followed" in system
    doctor = app.test_cli_runner().invoke(args=["doctor"])
    assert doctor.exit_code == 1
    assert "flask projections rebuild orders" in doctor.output

    app.test_cli_runner().invoke(args=["projections", "rebuild", "orders"])
    assert kernel.runner.cursors()["orders"].state == "running"
    found = client.get("/orders").text
    assert "O0" in found and ("O100" in found) is bool(after)
    assert ">O1<" not in found


@pytest.mark.parametrize("after", [0, 2])
def test_once_all_is_done_that_is_asked_nothing_stays_stopped(
    app: Flask, kernel: Kernel, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.sweep.PATIENCE_SECONDS", 0.0)
    restored(app, kernel, after)
    Sweep(kernel).once()
    for name, cursor in kernel.runner.cursors().items():
        if cursor.state == "failed" and name in kernel.registry.projections:
            app.test_cli_runner().invoke(args=["projections", "rebuild", name])
        elif cursor.state == "failed":
            do(app, [PauseProjection(projection=name)])
            settle(app)
            do(app, [ResumeProjection(projection=name)])
    settle(app)
    stopped = {n: c.state for n, c in kernel.runner.cursors().items() if c.state != "running"}
    assert stopped == {}
    assert "which has stopped" not in client_in(app, "admin").get("/readyz").text


def test_open_pages_say_which_updates_are_paused(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.interfaces.web.shell.LOOK_EVERY_SECONDS", 0.0)
    client = client_in(app, "viewer")
    assert "paused" not in client.get("/banners").text
    do(app, [PauseProjection(projection="sales")])
    settle(app)
    assert "Updates are paused: sales." in client.get("/banners").text
    do(app, [ResumeProjection(projection="sales")])
    settle(app)
    assert "paused" not in client.get("/banners").text
