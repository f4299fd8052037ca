"""bin/supply.py: what the console is made of."""

from __future__ import annotations

import hashlib
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from bin import supply
from tests.bin.test_requirements import pins
from tests.processes.running import PROJECT


@pytest.fixture
def components(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """As cyclonedx-py lists requirements.txt: names and versions are all that is used here."""
    listed = [
        {"bom-ref": f"line-{name}", "name": name, "version": version, "type": "library"}
        for name, version in pins("requirements.txt").items()
    ]
    answers(monkeypatch, {"components": listed})
    return supply.components()


def answers(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    """Every program prints this as JSON."""
    done = SimpleNamespace(stdout=json.dumps(value), returncode=0)
    monkeypatch.setattr(supply.subprocess, "run", lambda *words, **options: done)


def test_the_list_has_every_pinned_package_with_its_licence(
    components: list[dict[str, Any]],
) -> None:
    listed = {each["name"]: each["version"] for each in components}
    assert pins("requirements.txt").items() <= listed.items()
    assert listed["htmx.org"]
    assert list(supply.licence_faults(components)) == []
    bill = supply.bill(components)
    assert bill["metadata"]["component"]["name"] == "countersign"
    assert len({each["bom-ref"] for each in bill["components"]}) == len(components)
    assert supply.bill(components) == bill


def test_a_licence_that_is_not_allowed_is_named(components: list[dict[str, Any]]) -> None:
    components[0]["licenses"] = [{"expression": "MIT AND Commons-Clause"}]
    components[1]["licenses"] = [{"expression": "GPL-2.0-only OR MIT"}]
    [fault] = supply.licence_faults(components)
    assert "Commons-Clause" in fault


def test_every_vendored_file_is_the_one_that_is_listed() -> None:
    folder = PROJECT / "static" / "vendor"
    listed = {each["description"].removeprefix("static/vendor/") for each in supply.vendored()}
    there = {f"{each.parent.name}/{each.name}" for each in folder.glob("*/*")}
    assert {each for each in there if not each.endswith("LICENSE")} == listed
    for each in supply.vendored():
        content = (PROJECT / each["description"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["hashes"][0]["content"]


@pytest.mark.parametrize(
    ("told", "fine", "line"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], True, r"ok +audit: .* 1 packages"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "X-1"}]}], False, r"FAILED +a 1: X-1"),
        ([{"name": "a", "skip_reason": "not found"}], True, r"left out +audit: .* does not answer"),
    ],
)
def test_a_known_vulnerability_fails_the_run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: list[dict[str, Any]],
    fine: bool,
    line: str,
) -> None:
    answers(monkeypatch, {"dependencies": told})
    assert supply.audited() is fine
    assert re.match(line, capsys.readouterr().out)
