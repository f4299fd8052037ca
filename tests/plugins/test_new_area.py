"""What `flask new area` writes works as it is, and passes the console's own checks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cqrs_app.environment import SettingsError
from cqrs_app.interfaces.cli.new import new
from cqrs_app.plugins import found_in
from tests.processes.running import FLASK, PROJECT, clean_environment


def write(folder: Path, *words: str) -> None:
    result = CliRunner().invoke(new, ["area", *words, "--into", str(folder)])
    assert result.exit_code == 0, result.output


def run(folder: Path, area: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment({"AREAS": area, "DATA_DIR": str(folder / "data")})
    environment["PYTHONPATH"] = f"{PROJECT}:{folder}"
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_its_own_tests_and_the_checks_pass(tmp_path: Path) -> None:
    write(tmp_path, "purchase_requests")
    tests = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    done = run(tmp_path, "purchase_requests", *tests, str(tmp_path / "tests"))
    assert "7 passed" in done.stdout, done.stdout + done.stderr
    ruff = [str(Path(sys.executable).with_name("ruff")), "--config", "pyproject.toml"]
    for verb in (["check", "--ignore", "S101"], ["format", "--check"]):
        done = run(tmp_path, "", ruff[0], *verb, *ruff[1:], str(tmp_path))
        assert done.returncode == 0, done.stdout


def test_what_is_wrong_is_found_and_written_for_other_tools(tmp_path: Path) -> None:
    write(tmp_path, "notes")
    model = tmp_path / "notes" / "read_model.py"
    method = "    def note_cloesd(self, event: object, recorded: object, rows: object) -> None: ..."
    text = model.read_text().replace("NoteClosed)\n\n", f"NoteClosed)\n\n{method}\n\n", 1)
    model.write_text(text)
    events = tmp_path / "notes" / "events.py"
    events.write_text(events.read_text().replace("title: str", "title: int"))
    report = tmp_path / "findings.sarif"
    done = run(tmp_path, "notes", *FLASK, "areas", "check", "--sarif", str(report))
    assert done.returncode == 1
    assert "NotesProjection.note_cloesd is named after no event." in done.stdout
    assert "NoteOpened changed without a new schema number" in done.stdout
    [found] = json.loads(report.read_text())["runs"]
    assert [each["ruleId"] for each in found["results"]] == ["projection", "contract"]
    place = found["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == str(model)
    assert "note_cloesd" in model.read_text().splitlines()[place["region"]["startLine"] - 1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["Visits"], "cannot be a name"),
        (["sheep"], "Say what one of sheep is called"),
        (["visits", "--one", "2x"], "cannot be a name"),
    ],
)
def test_a_name_that_cannot_be_one_writes_nothing(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    folder = tmp_path / "new"
    result = CliRunner().invoke(new, ["area", *words, "--into", str(folder)])
    assert sentence in result.output
    assert not folder.exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(new, ["area", "visits", "--into", str(tmp_path)])
    assert "is not empty. Nothing was written." in result.output
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("areas", "sentence"),
    [
        ("nowhere", "nowhere:PLUGIN cannot be loaded"),
        ("json", "json:PLUGIN cannot be loaded"),
        ("json:dumps", "json:dumps is no Plugin"),
    ],
)
def test_an_area_that_cannot_be_used_is_named_in_a_sentence(areas: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        found_in({"AREAS": areas})
