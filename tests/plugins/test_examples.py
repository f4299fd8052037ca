"""The example areas, installed as their docs say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.console import environment_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.processes.running import FLASK, PROJECT, clean_environment

EXAMPLES = ("visits", "documents", "trading")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed packages."""
    folder, sources = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("sources")
    for name in EXAMPLES:
        subprocess.run(["cp", "-r", PROJECT / "examples" / name, sources / name], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    packages = [sources / name for name in EXAMPLES]
    subprocess.run([*pip, "--no-build-isolation", "--target", folder, *packages], check=True)
    return folder


def run(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_every_door_of_their_things_is_open(make_console: Callable[..., Flask], site: Path) -> None:
    environment = environment_of(make_console(), PYTHONPATH=f"{PROJECT}:{site}")
    done = run([sys.executable, "-m", "tests.plugins.tours"], environment)
    assert "The tour is done." in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_their_own_tests_pass(site: Path, tmp_path: Path) -> None:
    environment = clean_environment({"DATA_DIR": str(tmp_path)})
    environment["PYTHONPATH"] = f"{PROJECT}:{site}"
    tests = [str(PROJECT / "examples" / name / "tests") for name in EXAMPLES]
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    done = run([*pytest_, *tests], environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_visits_is_short() -> None:
    modules = (PROJECT / "examples" / "visits" / "visits").glob("*.py")
    lines = [line for each in modules for line in each.read_text().splitlines() if line.strip()]
    assert len(lines) <= 150


def test_without_their_packages_the_console_starts_and_their_events_verify(
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
