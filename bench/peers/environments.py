"""Environments of other products, installed on first use, separate from the product's own."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from bench.case import Unavailable
from tests.processes.running import PROJECT

EMMETT = PROJECT / "bench" / "emmett"


@cache
def python() -> Path:
    """The interpreter with the packages of bench/requirements.txt. Raises Unavailable."""
    _run([PROJECT / "bin" / "install", "bench"], PROJECT, "bench/requirements.txt")
    return PROJECT / ".venv-bench" / "bin" / "python"


@cache
def emmett() -> list[str | Path]:
    """The command line of Emmett's client. Raises Unavailable."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Unavailable("Node.js with npm is not installed.")
    if not (EMMETT / "node_modules" / ".package-lock.json").is_file():
        _run([npm, "ci", "--no-audit", "--no-fund"], EMMETT, "bench/emmett/package-lock.json")
    return [node, EMMETT / "client.js"]


def _run(command: list[str | Path], folder: Path, what: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Unavailable(f"{what} could not be installed: {' '.join(reason)}")
