"""bin/backup and bin/drill, on both databases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from bin import copies
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.console import environment_of
from tests.processes.running import PROJECT
from tests.services.postgres import find_programs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def run(program: str, app: Flask, folder: Path) -> subprocess.CompletedProcess[str]:
    programs = find_programs()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}" if programs else os.environ["PATH"]
    return subprocess.run(
        [PROJECT / "bin" / program, folder],
        env=environment_of(app, PATH=path),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_backup_is_restored_with_every_event(shared_shop: Flask, folder: Path) -> None:
    done = run("backup", shared_shop, folder)
    assert done.returncode == 0, done.stderr
    [made] = folder.iterdir()
    assert {each.name for each in made.iterdir()} >= {"SHA256", "seals.json"}
    assert not made.stat().st_mode & 0o077
    events = services_of(shared_shop).kernel.store.head()
    drilled = run("drill", shared_shop, folder)
    assert drilled.returncode == 0, drilled.stderr
    assert f"{made} was restored in" in drilled.stdout
    assert f" {events} events (" in drilled.stdout
    assert drilled.stdout.strip().endswith("0 faults.")


def test_a_backup_that_is_damaged_or_not_there_fails_the_drill(folder: Path) -> None:
    settings = Settings(data_dir=folder).resolved()
    with pytest.raises(copies.Failed, match="There is no backup in"):
        copies.drill(folder, settings)
    broken = folder / "20260101T000000.000000Z"
    broken.mkdir(parents=True)
    (broken / "write.sqlite3").write_bytes(b"not what it was")
    (broken / "SHA256").write_text(f"{'0' * 64}  write.sqlite3\n")
    with pytest.raises(copies.Failed, match="is damaged"):
        copies.drill(folder, settings)
