"""The example in docs/extending.md works as it is written, at every door."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.processes import PROJECT, clean_environment

COPIED = ("cqrs_app", "templates", "static", "migrations", "docs", "app.py", "pyproject.toml")
SECTION = "## A task, from nothing to all doors"

DOORS = """
import re
from cqrs_app import create_app

app = create_app()
kernel, tokens = app.extensions["kernel"], app.extensions["tokens"]
fields = {"reminder_id": "R2", "text": "Ring Ben", "due": "2026-12-02"}

# The API, and its permission.
api = app.test_client()
allowed = {"Authorization": "Bearer " + tokens.create("one", "operator", made_by="test")}
other = {"Authorization": "Bearer " + tokens.create("two", "viewer", made_by="test")}
path = "/api/v1/commands/SetReminder"
assert api.post(path, json=fields, headers=other).status_code == 403
assert api.post(path, json=fields, headers=allowed).json["events"] == ["ReminderSet"]
again = api.post(path, json=fields, headers=allowed)
assert (again.status_code, again.json["code"]) == (422, "reminder_exists")
assert "/commands/SetReminder" in api.get("/api/v1/openapi.json").json["paths"]

# The form.
accounts = app.extensions["accounts"]
accounts.create("ana", "operator", "nine grey geese on a lake")
browser = app.test_client()
with browser.session_transaction() as cookie:
    cookie["token"] = app.extensions["sessions"].open("ana")
page = browser.get("/commands/SetReminder").text
assert "Be reminded of something on a day." in page
hidden = dict(re.findall(r'name="(csrf_token|command_id)"[^>]*value="([^"]*)"', page))
sent = browser.post("/commands/SetReminder", data={**hidden, **fields, "reminder_id": "R3"})
assert sent.status_code == 303, sent.text
assert browser.get(sent.headers["Location"]).status_code == 200
wrong = browser.post("/commands/SetReminder", data={**hidden, "due": "soon"})
assert wrong.status_code == 422
assert "Write a date" in wrong.text

# The log, the catalogue, the read model.
assert kernel.log.find(hidden["command_id"]).operator == "ana"
assert "reminder_exists" in browser.get("/catalogue/SetReminder").text
kernel.runner.advance("reminders")
shown = api.get("/api/v1/queries/ListReminders", headers=other).json
assert [row["reminder_id"] for row in shown["value"]] == ["R1", "R2", "R3"]
kernel.close()
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_example_reaches_every_door(tmp_path: Path) -> None:
    copy = tmp_path / "countersign"
    copy.mkdir()
    for name in COPIED:
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    run(copy, "flask db upgrade")
    said = [out for kind, where, text in blocks() for out in carry_out(copy, kind, where, text)]
    assert any('"text": "Ring Ana"' in each for each in said), said
    run(copy, f"ruff check {copy / 'cqrs_app'}")
    done = subprocess.run(
        [sys.executable, "-c", DOORS],
        cwd=copy,
        env=environment(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def blocks() -> Iterator[tuple[str, str, str]]:
    """The section's code blocks: language, title, text."""
    whole = (PROJECT / "docs" / "extending.md").read_text()
    section = whole.split(SECTION)[1].split("\n## ")[0]
    for found in re.finditer(r"```(\w+)(?: title=(\S+))?\n(.*?)```", section, re.DOTALL):
        yield found[1], found[2] or "", found[3]


def carry_out(copy: Path, kind: str, where: str, text: str) -> Iterator[str]:
    """Do what one block says; yields what its commands print."""
    if kind == "python":
        path = copy / where
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    elif kind == "diff":
        change(copy, text)
    else:
        for line in text.splitlines():
            yield run(copy, line.removeprefix(".venv/bin/"))


def change(copy: Path, diff: str) -> None:
    head, *hunks = diff.split("@@\n")
    path = copy / head.split("+++ b/")[1].strip()
    for hunk in hunks:
        lines = hunk.splitlines()
        before = "\n".join(line[1:] for line in lines if line[0] in "- ")
        after = "\n".join(line[1:] for line in lines if line[0] in "+ ")
        content = path.read_text()
        assert content.count(before) == 1, f"{path} has no single {before!r}"
        path.write_text(content.replace(before, after))


def run(copy: Path, line: str) -> str:
    program, *words = shlex.split(line)
    done = subprocess.run(
        [sys.executable, "-m", program, *words],
        cwd=copy,
        env=environment(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def environment(copy: Path) -> dict[str, str]:
    return clean_environment({"DATA_DIR": str(copy / "var"), "SECRET_KEY": "for tests only"})
