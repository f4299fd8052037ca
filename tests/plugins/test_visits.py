"""An area that another package brings, installed as its docs say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.console import environment_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.processes.running import FLASK, PROJECT

TOUR = PROJECT / "tests" / "plugins" / "tour.py"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "visits"
    subprocess.run(["cp", "-r", PROJECT / "examples" / "visits", source], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", folder, source], check=True)
    return folder


def run(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_every_door_of_its_things_is_open(make_console: Callable[..., Flask], site: Path) -> None:
    environment = environment_of(make_console(), PYTHONPATH=f"{PROJECT}:{site}")
    done = run([sys.executable, str(TOUR)], environment)
    assert "The tour is done." in done.stdout, done.stdout + done.stderr


def test_without_its_package_the_console_starts_and_its_events_verify(
    make_console: Callable[..., Flask], site: Path
) -> None:
    app = make_console()
    environment = environment_of(app, PYTHONPATH=f"{PROJECT}:{site}")
    expect = ("--visit-id", "V1", "--visitor", "Ana", "--host", "Ben", "--day", "2026-12-01")
    for words in (["db", "upgrade"], ["command", "ExpectVisitor", *expect]):
        done = run([*FLASK, *words], environment)
        assert done.returncode == 0, done.stdout + done.stderr

    # The package is gone, its tables are not.
    catch_up(app)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["events", "verify"]).exit_code == 0
    assert runner.invoke(args=["db", "check"]).exit_code == 0
