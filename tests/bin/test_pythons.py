"""bin/pythons, with programs in the place of real Pythons."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes.running import PROJECT, clean_environment

FAKE = """#!/bin/sh
case $1 in
-c) ;;
-m) echo "$0" "$@"; exit {status} ;;
*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo "$(basename "$0")" "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project and, beside it, tools without any Python."""
    (tmp_path / "project" / "bin").mkdir(parents=True)
    shutil.copy(PROJECT / "bin" / "pythons", tmp_path / "project" / "bin")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "dirname", "basename", "mkdir", "cp"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path / "project"


def put(path: Path, status: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FAKE.format(status=status))
    path.chmod(0o755)


def pythons(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "bin" / "pythons", *options, "-x"],
        env=clean_environment(
            {
                "PATH": str(project.parent / "tools"),
                "PYENV_ROOT": str(project.parent / "pyenv"),
            }
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_each_version_that_is_there_runs_the_fast_tests_in_an_environment_of_its_own(
    project: Path,
) -> None:
    put(project.parent / "tools" / "python3.12")
    put(project.parent / "pyenv" / "versions" / "3.13.7" / "bin" / "python")
    result = pythons(project)
    assert (result.returncode, result.stderr) == (0, "")
    pytest_options = "--fast -n 2 --dist worksteal -p no:cacheprovider -x"
    assert result.stdout.splitlines() == [
        "left out  Python 3.14: not on this machine",
        f"python bin/install.py {project} run .venv-3.13",
        f"python bin/install.py {project} dev .venv-3.13",
        "Python 3.13:",
        f".venv-3.13/bin/python -m pytest {pytest_options}",
        f"python3.12 bin/install.py {project} run .venv-3.12",
        f"python3.12 bin/install.py {project} dev .venv-3.12",
        "Python 3.12:",
        f".venv-3.12/bin/python -m pytest {pytest_options}",
        "left out  Python 3.11: not on this machine",
    ]


def test_only_the_newest_if_that_is_asked_for(project: Path) -> None:
    for version in ("3.12", "3.13"):
        put(project.parent / "tools" / f"python{version}")
    result = pythons(project, "--newest")
    assert (result.returncode, result.stderr) == (0, "")
    assert [each for each in result.stdout.splitlines() if each.startswith("Python")] == [
        "Python 3.13:"
    ]


def test_when_the_tests_fail_on_one_the_others_run_too_and_the_status_says_so(
    project: Path,
) -> None:
    put(project.parent / "tools" / "python3.12", status=1)
    put(project.parent / "tools" / "python3.14")
    result = pythons(project)
    assert result.returncode == 1
    assert "Python 3.14:" in result.stdout


@pytest.mark.parametrize("file", ["README.md", "bin/install", "bin/pythons"])
def test_every_supported_version_is_named(file: str) -> None:
    text = (PROJECT / file).read_text()
    assert [each for each in ("3.11", "3.12", "3.13", "3.14") if each not in text] == []
