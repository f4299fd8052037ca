"""The generators and validators, in an environment that `bin/install clients` makes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from cqrs_app.installed_areas import build_registry
from cqrs_app.interfaces.api.openapi import description
from tests.processes.running import PROJECT
from tests.services.obtainable import unobtainable

HERE = Path(__file__).parent
ENVIRONMENT = PROJECT / ".venv-clients"


@dataclass(frozen=True, slots=True)
class Tools:
    """Runs the installed programs in a folder that has the settings of each and the description."""

    folder: Path

    def run(self, program: str, *arguments: str) -> str:
        """What it prints on both channels; fails the test where it fails."""
        places = (ENVIRONMENT / "bin", ENVIRONMENT / "node_modules" / ".bin")
        path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
        found = subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1", "REDOCLY_TELEMETRY": "off"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stdout
        return found.stdout


def copied(names: Sequence[str], folder: Path) -> None:
    for name in names:
        shutil.copy(HERE / name, folder)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """The tools, with `openapi.json` in their folder."""
    if not (ENVIRONMENT / ".installed-clients").exists():
        unobtainable("The generators of clients", "bin/install clients")
    copied([each.name for each in HERE.iterdir() if each.suffix in (".yaml", ".ts")], tmp_path)
    copied(["orders.py", "tsconfig.json", "package.json"], tmp_path)
    (tmp_path / "node_modules").symlink_to(ENVIRONMENT / "node_modules")
    (tmp_path / "openapi.json").write_bytes(msgspec.json.encode(description(build_registry())))
    return Tools(tmp_path)
