"""`flask db`: the revision of each store, a downgrade, and plain alembic."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from cqrs_app import database
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.processes.running import PROJECT


def run(app: Flask, *arguments: str, answer: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["db", *arguments], input=answer)


def newest(store: str) -> str:
    return database.history(store)[-1][0]


@pytest.fixture
def app(make_console: Callable[..., Flask]) -> Flask:
    app = make_console()
    database.upgrade(services_of(app).settings)
    return app


def test_each_store_says_which_migration_it_has(app: Flask) -> None:
    assert run(app, "current").stdout.splitlines() == [
        f"{store}: {newest(store)} (up to date)" for store in ("write", "read")
    ]


def test_the_history_tells_what_each_migration_does(app: Flask) -> None:
    lines = run(app, "history").stdout.splitlines()
    assert lines[0].startswith("write_0001  ")
    assert any(line.startswith("read_0001  ") for line in lines)


@pytest.mark.parametrize("store", ["write", "read"])
def test_one_store_goes_a_step_back_and_forward_again(app: Flask, store: str) -> None:
    other = {"write": "read", "read": "write"}[store]
    before = database.history(store)[-2][0]
    assert run(app, "downgrade", store, "-1", "--yes").exit_code == 0
    assert run(app, "current").stdout.splitlines() == [
        f"{each}: {before} (the newest is {newest(each)})"
        if each == store
        else f"{each}: {newest(other)} (up to date)"
        for each in ("write", "read")
    ]
    assert run(app, "upgrade").exit_code == 0
    assert run(app, "check").exit_code == 0


def test_all_the_way_back_and_forward_again(app: Flask) -> None:
    for store in ("write", "read"):
        assert run(app, "downgrade", store, "base", "--yes").exit_code == 0
        assert f"{store}: none" in run(app, "current").stdout
    assert run(app, "upgrade").exit_code == 0
    assert run(app, "check").exit_code == 0


def test_going_back_asks_first(app: Flask) -> None:
    result = run(app, "downgrade", "write", "-1", answer="n\n")
    assert result.exit_code == 1
    assert f"write: {newest('write')} (up to date)" in run(app, "current").stdout


def test_an_unknown_revision_is_one_sentence_and_changes_nothing(app: Flask) -> None:
    result = run(app, "downgrade", "write", "write_9999", "--yes")
    assert (result.exit_code, "Nothing was changed." in result.stderr) == (1, True)


@pytest.mark.parametrize("store", ["write", "read"])
def test_plain_alembic_finds_the_stores(app: Flask, store: str) -> None:
    result = alembic(app, "-n", store, "current")
    assert result.stdout.split()[0] == newest(store), result.stderr


def test_plain_alembic_without_a_store_says_how_to_name_one(app: Flask) -> None:
    result = alembic(app, "current")
    assert "Say which store: alembic -n write or -n read." in result.stderr
    assert "Traceback" not in result.stderr


def alembic(app: Flask, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("alembic")
    return subprocess.run(
        [program, *arguments],
        cwd=PROJECT,
        env=environment_of(app),
        capture_output=True,
        text=True,
        check=False,
    )
