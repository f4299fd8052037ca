"""`flask doctor`: every outage is a sentence, and the other checks still tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import text

from cqrs_app.interfaces.cli import checks
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.services import services_of
from tests.interfaces.cli.conftest import PASSWORD
from tests.interfaces.web.pages.conftest import catch_up
from tests.processes.running import run_flask


@pytest.fixture
def healthy(console: Flask, kernel: Kernel) -> Flask:
    """A console with an administrator, a worker and a sweep."""
    accounts: Accounts = services_of(console).accounts
    accounts.create("zoe", "admin", PASSWORD)
    for kind in ("worker", "sweep"):
        _beat(kernel, kind)
    return console


def _beat(kernel: Kernel, kind: str) -> None:
    type(kernel.presence)(kernel.engines.write).beat(kind)


def look(app: Flask) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and the worst finding per name."""
    result = app.test_cli_runner().invoke(args=["doctor", "--json"])
    told = msgspec.json.decode(result.stdout)
    return result.exit_code, {each["name"]: each for each in told["findings"]}


def test_a_healthy_console_has_nothing_to_do(healthy: Flask) -> None:
    status, found = look(healthy)
    assert {name: each["state"] for name, each in found.items() if each["state"] != "ok"} == {}
    assert status == 0
    assert {"Write store", "Read store", "Redis", "Workers", "Sweep", "Data folder"} <= set(found)


def test_it_is_read_by_people_too(healthy: Flask) -> None:
    result = healthy.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 0
    assert "ok         Workers: Alive: 1.\n" in result.stdout
    assert PASSWORD not in result.stdout


def test_without_worker_and_sweep_it_is_a_fault_and_says_what_to_start(console: Flask) -> None:
    status, found = look(console)
    assert (status, found["Workers"]["state"], found["Sweep"]["state"]) == (1, "fault", "fault")
    assert "`flask worker`" in found["Workers"]["todo"]
    assert found["Operators"]["state"] == "attention"


def test_without_a_worker_the_sweep_does_the_work(console: Flask, kernel: Kernel) -> None:
    _beat(kernel, "sweep")
    status, found = look(console)
    assert (status, found["Workers"]["state"], found["Sweep"]["state"]) == (0, "attention", "ok")


def test_a_redis_that_is_away_is_no_fault(
    make_console: Callable[..., Flask], healthy: Flask, tmp_path: Path
) -> None:
    away = make_console(redis_url=f"unix://{tmp_path}/none.sock")
    status, found = look(away)
    assert (status, found["Redis"]["state"]) == (0, "attention")


def test_missing_tables_ask_for_the_migrations(healthy: Flask, kernel: Kernel) -> None:
    with kernel.engines.read.begin() as connection:
        connection.execute(text("UPDATE alembic_version_read SET version_num = 'older'"))
    status, found = look(healthy)
    assert (status, found["Read store"]["state"]) == (1, "fault")
    assert "flask db upgrade" in found["Read store"]["todo"]


def test_one_missing_table_does_not_keep_the_other_checks_from_telling(
    healthy: Flask, kernel: Kernel
) -> None:
    with kernel.engines.read.begin() as connection:
        connection.execute(text("DROP TABLE checkpoints"))
    status, found = look(healthy)
    assert (status, found["Projections"]["state"]) == (1, "fault")
    assert (found["Parked events"]["state"], found["Operators"]["state"]) == ("ok", "ok")


def test_lag_parked_and_failed_projections_are_told(
    healthy: Flask, kernel: Kernel, do: Callable[..., Any]
) -> None:
    catch_up(kernel)
    do("PlaceOrder")
    with kernel.engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET recorded_at = '2026-01-01 00:00:00'"))
    status, found = look(healthy)
    assert (status, found["Projection orders"]["state"]) == (1, "fault")
    assert "lacks 1 event," in found["Projection orders"]["sentence"]
    assert found["Fulfilment"]["state"] == "fault"
    catch_up(kernel)
    services_of(healthy).kernel.tasks["fulfilment"].answer("orders")
    assert look(healthy)[0] == 0
    do("PauseProjection")
    kernel.runner.advance("projection_control")
    status, found = look(healthy)
    assert (status, found["Projection orders"]["state"]) == (0, "attention")
    assert "flask command ResumeProjection" in found["Projection orders"]["todo"]
    with kernel.engines.read.begin() as connection:
        connection.execute(
            text("UPDATE checkpoints SET state = 'failed', error = 'tables of another version'")
        )
    status, found = look(healthy)
    assert (status, found["Projection customers"]["state"]) == (1, "fault")
    assert "tables of another version" in found["Projection customers"]["sentence"]


def test_a_task_nobody_took_is_told(healthy: Flask, kernel: Kernel, do: Callable[..., Any]) -> None:
    do("PlaceOrder", "--enqueue")
    assert look(healthy)[1]["Queued commands"]["state"] == "ok"
    with kernel.engines.write.begin() as connection:
        connection.execute(text("UPDATE command_log SET received_at = '2026-01-01 00:00:00'"))
    assert look(healthy)[1]["Queued commands"]["state"] == "attention"


def test_a_data_folder_that_others_can_reach_is_told(healthy: Flask) -> None:
    folder = services_of(healthy).settings.data_dir
    (folder / "secret").write_text("x")
    (folder / "secret").chmod(0o640)
    folder.chmod(0o750)
    _, found = look(healthy)
    told = found["Private files"]
    assert told["state"] == "attention"
    assert f"Other users of this machine can reach {folder}, " in told["sentence"]
    assert f"{folder}/secret" in told["sentence"]
    assert told["todo"] == f"Run chmod -R go= {folder}"
    folder.chmod(0o700)
    assert look(healthy)[1]["Private files"]["state"] == "ok"


@contextmanager
def _no_room(*args: Any, **rest: Any) -> Iterator[Any]:
    raise OSError(28, os.strerror(28))
    yield


def test_a_full_disk_is_told(healthy: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.tempfile, "TemporaryFile", _no_room)
    status, found = look(healthy)
    assert (status, found["Data folder"]["state"]) == (1, "fault")
    assert "No space left on device" in found["Data folder"]["sentence"]


@pytest.mark.parametrize(
    ("free", "state"), [(3 * 1024**3, "ok"), (1024**3, "attention"), (1024**2, "fault")]
)
def test_little_room_is_told_before_it_runs_out(
    healthy: Flask, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda folder: usage)
    assert look(healthy)[1]["Data folder"]["state"] == state


def doctor(**environment: str) -> Any:
    return run_flask("doctor", **environment)


@pytest.mark.slow
def test_a_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    away = "postgresql://me:hush@127.0.0.1:1/none"
    result = doctor(DATA_DIR=str(tmp_path), DATABASE_URL=away)
    assert result.returncode == 1
    assert "fault      Write store: postgresql+psycopg://me:***@127.0.0.1:1/none" in result.stdout
    assert "Start the database, and check DATABASE_URL." in result.stdout
    assert "hush" not in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_a_new_console_is_told_to_migrate(tmp_path: Path) -> None:
    result = doctor(DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert "Run `flask db upgrade`." in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"DATA_DIR": "/dev/null/x"},
            "Error: The data folder /dev/null/x cannot be written (Not a",
        ),
        (
            {"WEB_WORKERS": "many"},
            "Error: WEB_WORKERS is 'many'; write a whole number from 1 to 256.",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_one_sentence(
    environment: dict[str, str], sentence: str
) -> None:
    result = doctor(**environment)
    assert result.returncode == 1
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.splitlines()) == 1


def test_what_settings_switch_off_and_slips_of_the_pen_are_findings(
    make_console: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUERY_CACHE_TLL", "3")
    app = make_console(
        cqrs_enabled=False, command_authorization_enabled=False, query_authorization_enabled=False
    )
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 1
    for sentence in (
        "Permissions are not checked: COMMAND_AUTHORIZATION_ENABLED is false.",
        "Permissions are not checked: QUERY_AUTHORIZATION_ENABLED is false.",
        "Maintenance mode",
        "If you mean QUERY_CACHE_TTL, correct the name.",
    ):
        assert sentence in result.output
