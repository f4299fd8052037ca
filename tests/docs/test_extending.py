"""The example in docs/extending.md works as written, through every interface."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.guides import Block, blocks_of, change, files_in
from tests.processes.running import PROJECT, clean_environment

COPIED = ("cqrs_app", "templates", "static", "migrations", "docs", "app.py", "pyproject.toml")
AREA = "## A task, from nothing to all doors"
TASK = "## Add a task to orders"
MOST_FILES = 6
"""A command with a field and a column of the read model changes no more files than this."""

DOORS = """
import re
from cqrs_app import create_app

app = create_app()
kernel, tokens = app.extensions["services"].kernel, app.extensions["services"].tokens
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
accounts = app.extensions["services"].accounts
accounts.create("ana", "operator", "nine grey geese on a lake")
browser = app.test_client()
with browser.session_transaction() as cookie:
    cookie["token"] = app.extensions["services"].sessions.open("ana")
page = browser.get("/commands/SetReminder").text
assert "Be reminded of something on a day." in page
hidden = dict(re.findall(r'name="(csrf_token|command_id)"[^>]*value="([^"]*)"', page))
sent = browser.post("/commands/SetReminder", data={**hidden, **fields, "reminder_id": "R3"})
assert sent.status_code == 303, sent.text
assert browser.get(sent.headers["Location"]).status_code == 200
wrong = browser.post("/commands/SetReminder", data={**hidden, "due": "soon"})
assert wrong.status_code == 422
assert "Enter a date" in wrong.text

# The log, the catalogue, the read model.
assert kernel.log.find(hidden["command_id"]).operator == "ana"
assert "reminder_exists" in browser.get("/catalogue/SetReminder").text
kernel.runner.advance("reminders")
shown = api.get("/api/v1/queries/ListReminders", headers=other).json
assert [row["reminder_id"] for row in shown["value"]] == ["R1", "R2", "R3"]
kernel.close()
"""

PRIORITISED = """
from cqrs_app import create_app

app = create_app()
kernel, tokens = app.extensions["services"].kernel, app.extensions["services"].tokens
api = app.test_client()
allowed = {"Authorization": "Bearer " + tokens.create("three", "operator", made_by="test")}
other = {"Authorization": "Bearer " + tokens.create("four", "viewer", made_by="test")}
commands, queries = "/api/v1/commands", "/api/v1/queries"

def action():
    found = api.get(f"{queries}/OrderActions?order_id=P1", headers=allowed).json["value"]
    return next(each for each in found["actions"] if each["command"] == "PrioritiseOrder")

line = {"sku": "LAMP", "quantity": 1, "unit_price": "5"}
placed = {"order_id": "P1", "country": "Peru", "currency": "PEN", "lines": [line]}
assert api.post(f"{commands}/PlaceOrder", json=placed, headers=allowed).status_code == 200
assert action()["allowed"]
urgent = {"order_id": "P1", "reason": "A birthday."}
path = f"{commands}/PrioritiseOrder"
assert api.post(path, json=urgent, headers=other).status_code == 403
assert api.post(path, json=urgent, headers=allowed).json["events"] == ["OrderPrioritised"]
for name in kernel.registry.projections:
    kernel.runner.advance(name)
row = api.get(f"{queries}/GetOrder?order_id=P1", headers=other).json["value"]
assert (row["priority_reason"], row["applied_version"]) == ("A birthday.", 2)
history = api.get(f"{queries}/OrderTimeline?order_id=P1", headers=other).json["value"]
assert (history[-1]["label"], history[-1]["detail"]) == ("Prioritised", [["Reason", "A birthday."]])

away = {"order_id": "P1", "reason": "duplicate"}
boss = {"Authorization": "Bearer " + tokens.create("five", "supervisor", made_by="test")}
assert api.post(f"{commands}/CancelOrder", json=away, headers=boss).status_code == 200
refused = api.post(path, json=urgent, headers=allowed)
assert (refused.status_code, refused.json["code"]) == (422, "already_cancelled")
assert action()["allowed"] is False
assert action()["reason"].endswith("; it can no longer be prioritised.")
assert refused.json["detail"] == f"{action()['reason']} Nothing was changed."
kernel.close()
"""


@pytest.mark.slow
def test_the_examples_reach_every_door(tmp_path: Path) -> None:
    copy = tmp_path / "countersign"
    copy.mkdir()
    for name in COPIED:
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    run(copy, "flask db upgrade")
    printed = follow(copy, AREA)
    assert any('"text": "Ring Ana"' in each for each in printed), printed
    check(copy, DOORS)
    follow(copy, TASK)
    check(copy, PRIORITISED)
    run(copy, f"ruff check {copy / 'cqrs_app'}")


def test_a_command_with_a_field_and_a_column_changes_few_files() -> None:
    changed = {name for kind, _, text in blocks(TASK) if kind == "diff" for name in files_in(text)}
    assert 1 < len(changed) <= MOST_FILES
    assert all((PROJECT / name).is_file() for name in changed)
    assert {kind for kind, _, _ in blocks(TASK)} == {"diff", "sh"}


def follow(copy: Path, section: str) -> list[str]:
    """Carry out a section; returns what its commands print."""
    return [out for block in blocks(section) for out in carry_out(copy, *block)]


def check(copy: Path, program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=copy,
        env=environment(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def blocks(section: str) -> Iterator[Block]:
    whole = (PROJECT / "docs" / "extending.md").read_text()
    return blocks_of(whole.split(section)[1].split("\n## ")[0])


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
