"""The kernel is a distribution of its own, and its ten-minute start runs without the console."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.processes.running import PROJECT, clean_environment

KERNEL = PROJECT / "cqrs_app" / "kernel"
WITHOUT_FLASK = "import sys; sys.modules['flask'] = None\n"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with what the wheel of the kernel holds, and nothing else of the product."""
    source, folder = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(KERNEL, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", tmp_path, source], check=True)
    [wheel] = tmp_path.glob("countersign_kernel-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    return folder


def modules(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.py")}


@pytest.mark.slow
def test_the_start_runs_on_the_distribution_alone(installed: Path, tmp_path: Path) -> None:
    assert modules(installed / "cqrs_app" / "kernel") == modules(KERNEL)
    guide = (KERNEL / "README.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"```python\n(.*?)```", guide, re.DOTALL))
    (tmp_path / "books.py").write_text(WITHOUT_FLASK + program)
    ran = subprocess.run(
        [sys.executable, "books.py"],
        cwd=tmp_path,
        env=clean_environment({"PYTHONPATH": str(installed)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == re.findall(r"```text\n(.*?)```", guide, re.DOTALL)[-1]
