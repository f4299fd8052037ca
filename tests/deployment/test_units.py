"""The units of systemd in examples/deploy/systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cqrs_app.installed_areas import ROLES
from tests.processes.running import PROJECT
from tests.services.obtainable import unobtainable

UNITS = PROJECT / "examples" / "deploy" / "systemd"
MOST_EXPOSED = 20
"""Of 100, by systemd's own count; what is not confined at all has 96."""


@pytest.fixture(scope="module")
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        unobtainable("systemd-analyze", "apt-get install systemd")
    return program


def test_the_guide_asks_every_role_for_a_second_factor() -> None:
    guide = (PROJECT / "docs" / "deployment.md").read_text()
    [named] = re.findall(r"^SECOND_FACTOR_ROLES=(.*)$", guide, re.MULTILINE)
    assert set(named.split(",")) == set(ROLES)


@pytest.mark.parametrize("name", ["countersign.service", "countersign-backup.service"])
def test_the_units_are_confined(analyze: str, name: str) -> None:
    command = [analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", UNITS / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_units_are_read_without_a_complaint(analyze: str, tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        text = unit.read_text()
        # They name the folder of a release, which is elsewhere here.
        (tmp_path / unit.name).write_text(
            re.sub(r"/opt/countersign/(?:\.venv/bin/python|bin/\w+)", "/bin/true", text)
        )
    command = [analyze, "verify", *sorted(map(str, tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    about = [line for line in done.stderr.splitlines() if "countersign" in line]
    assert about == []
