"""bin/install, on a project whose requirement file is empty, so that it needs no network."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import PROJECT, clean_environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "bin", tmp_path / "a clone" / "bin")
    (tmp_path / "a clone" / "requirements.txt").write_text("# none\n")
    return tmp_path / "a clone"


def install(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "bin" / "install", "run"],
        env=clean_environment(environment),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.slow
def test_it_installs_once_and_again_after_a_change_or_an_interruption(project: Path) -> None:
    first = install(project)
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stderr
    assert (project / ".venv" / "bin" / "python").exists()

    assert install(project).stderr == ""

    requirements = project / "requirements.txt"
    requirements.write_text("# still none\n")
    changed = install(project).stderr
    assert "Installing" in changed
    assert "Making" not in changed
    stamp = project / ".venv" / ".installed-run"
    assert stamp.read_text() == hashlib.sha256(requirements.read_bytes()).hexdigest()

    (project / ".venv" / ".installing").touch()
    assert "Making .venv" in install(project).stderr
    assert install(project).stderr == ""


@pytest.mark.slow
def test_a_failed_installation_says_so_and_is_not_taken_for_done(project: Path) -> None:
    (project / "requirements.txt").write_text("./no-such-package\n")
    for _ in range(2):
        failed = install(project)
        assert failed.returncode == 1
        assert "could not be installed" in failed.stderr


def test_a_missing_venv_module_gets_one_sentence(project: Path) -> None:
    script = (
        "import importlib.util, runpy, sys; "
        "real = importlib.util.find_spec; "
        "importlib.util.find_spec = lambda name: None if name == 'ensurepip' else real(name); "
        f"sys.argv = ['install.py', {str(project)!r}, 'run']; "
        f"runpy.run_path({str(project / 'bin' / 'install.py')!r}, run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr == (
        "Python's ensurepip module is missing. On Debian and Ubuntu: apt-get install python3-venv\n"
    )


def test_without_a_python_that_is_new_enough_one_sentence_says_so(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON", sys.executable)  # ignore the developer's own setting
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "dirname"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    result = install(project, PATH=str(tools))
    assert result.returncode == 1
    assert result.stderr.startswith("Countersign needs Python 3.11 or newer")
