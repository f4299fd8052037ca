"""The pinned requirement files."""

import json
import re

from bin.install import REQUIREMENTS
from tests.processes.running import PROJECT

PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9, -]+\])?==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((PROJECT / name).read_text()))


def test_tests_run_on_the_versions_that_the_console_runs_on() -> None:
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime
    assert runtime.items() <= development.items()


def test_every_direct_requirement_is_the_one_that_is_pinned() -> None:
    for name in ("requirements", "requirements-dev", "tests/clients/requirements"):
        direct = re.findall(
            r"^([A-Za-z0-9_-]+)(?:\[\w+\])?==(\S+)", (PROJECT / f"{name}.in").read_text(), re.M
        )
        locked = pins(f"{name}.txt")
        for package, version in direct:
            assert locked[package.lower().replace("_", "-")] == version


def test_every_package_has_a_hash() -> None:
    for name in REQUIREMENTS.values():
        entries = re.split(r"\n(?=[a-z0-9])", (PROJECT / name).read_text())
        for entry in entries:
            if PIN.match(entry):
                assert "--hash=sha256:" in entry


def test_every_direct_npm_package_is_the_one_that_is_locked() -> None:
    folder = PROJECT / "tests" / "clients"
    direct = json.loads((folder / "package.json").read_text())["devDependencies"]
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    for package, version in direct.items():
        assert locked[f"node_modules/{package}"]["version"] == version
    assert all("integrity" in each for name, each in locked.items() if name)
