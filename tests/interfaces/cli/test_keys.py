"""`flask keys` and `flask db encrypt`: the master key is replaced, and files are encrypted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.customers.queries import GetCustomerProfile
from cqrs_app.encrypted_files import is_plain
from cqrs_app.environment import SettingsError
from cqrs_app.kernel.privacy import rotation
from cqrs_app.services import services_of
from tests.areas.customers.test_erasure import ask, run
from tests.console import consoles_on
from tests.services.stores import in_files, migrate

OLD, NEW = "the first master key", "the second master key"


def verb(app: Flask, *arguments: str, status: int = 0) -> str:
    result = app.test_cli_runner().invoke(args=[*arguments])
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else works on these stores, so there is nothing to wait for."""
    monkeypatch.setattr(rotation, "CACHED_SECONDS", 0.0)


def register(app: Flask) -> None:
    run(services_of(app).kernel, RegisterCustomer(customer_id="C1", name="Ana Lima"))


def reads(app: Flask) -> bool:
    question = GetCustomerProfile(customer_id="C1")
    return bool(ask(services_of(app).kernel, question, strong=True).name == "Ana Lima")


def personal_data(app: Flask) -> str:
    told = app.test_cli_runner().invoke(args=["doctor"]).output
    return next(line for line in told.splitlines() if "Personal data:" in line)


def test_a_key_in_the_settings_is_replaced(make_console: Callable[..., Flask]) -> None:
    before = make_console(personal_data_key=OLD)
    register(before)
    assert "derived" in verb(before, "keys", "list")
    assert "PERSONAL_DATA_KEY_PREVIOUS" in verb(before, "keys", "rotate", status=1)
    between = make_console(personal_data_key=NEW, personal_data_key_previous=OLD)
    assert reads(between)
    assert "attention" in personal_data(between)
    assert "5 keys of the store" in verb(between, "keys", "rotate")
    assert reads(between)
    assert "previous master key is still set" in personal_data(between)
    assert "under the current master key" in verb(between, "keys", "list")
    after = make_console(personal_data_key=NEW)
    assert reads(after)
    assert personal_data(after).startswith("ok")
    assert "keys of personal data" in verb(
        make_console(personal_data_key="a third master key"), "keys", "rotate", status=1
    )


def test_a_key_in_the_data_folder_is_replaced_also_after_a_kill(
    make_console: Callable[..., Flask],
) -> None:
    app = make_console()
    folder = services_of(app).settings.data_dir
    register(app)
    key, previous = folder / "personal_data_key", folder / "personal_data_key_previous"
    first = key.read_text()
    verb(app, "keys", "rotate")
    second = key.read_text()
    assert second != first
    assert not previous.exists()
    assert reads(app)
    assert reads(make_console())
    # Killed after the new key was made, and before anything was wrapped.
    services_of(app).settings.renew_kept_key()
    third = key.read_text()
    assert reads(make_console())
    verb(app, "keys", "rotate")
    assert key.read_text() == third != second
    assert not previous.exists()
    assert reads(make_console())
    assert {path.stat().st_mode & 0o077 for path in (key, folder)} == {0}


def test_files_are_encrypted_rotated_and_decrypted(tmp_path: Path, redis_url: str) -> None:
    databases = in_files(tmp_path)
    migrate(databases)
    files = [tmp_path / "write.sqlite3", tmp_path / "read.sqlite3"]
    with consoles_on(databases, redis_url) as make:
        app = make()
        register(app)
    with consoles_on(databases, redis_url) as make:
        app = make()
        assert verb(app, "db", "encrypt").count("is encrypted") == 2
        assert [is_plain(each) for each in files] == [False, False]
        assert {each.stat().st_mode & 0o077 for each in files} == {0}
        with pytest.raises(SettingsError, match="Set SQLITE_ENCRYPTION=true"):
            make()
    with consoles_on(databases, redis_url) as make:
        app = make(sqlite_encryption=True)
        assert reads(app)
        wrapped = (tmp_path / "database_key").read_text()
        verb(app, "keys", "rotate")
        assert (tmp_path / "database_key").read_text() != wrapped
        assert reads(make(sqlite_encryption=True))
        with pytest.raises(SettingsError, match="cannot be opened with this PERSONAL_DATA_KEY"):
            make(sqlite_encryption=True, personal_data_key=OLD)
    with consoles_on(databases, redis_url) as make:
        app = make(sqlite_encryption=True)
        assert verb(app, "db", "decrypt").count("not encrypted any more") == 2
        with pytest.raises(SettingsError, match="run `flask db encrypt`"):
            make(sqlite_encryption=True)
        assert reads(make())


def test_files_in_use_are_not_converted(make_console: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_console()
    if not (tmp_path / "write.sqlite3").exists():
        assert "Nothing was changed" in verb(app, "db", "encrypt")
        return
    code = (
        "import sqlite3, sys; opened = sqlite3.connect(sys.argv[1]);"
        " opened.execute('SELECT * FROM streams'); print(flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "write.sqlite3")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        assert user.stdout is not None
        user.stdout.readline()
        assert "is in use" in verb(app, "db", "encrypt", status=1)
        user.communicate(b"\n")
    assert is_plain(tmp_path / "write.sqlite3")
    assert "is encrypted" in verb(app, "db", "encrypt")
