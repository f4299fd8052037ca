"""docs/tutorial.md from top to bottom, in the folder of a clone, with a console that runs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.docs.guides import blocks_of, change
from tests.processes.running import (
    PROJECT,
    clean_environment,
    eventually,
    free_port,
    read_until,
    running,
)

GUIDE = (PROJECT / "docs" / "tutorial.md").read_text(encoding="utf-8")
DONE = "the block is done"
HERE = "http://127.0.0.1:8000"
PASSWORD = "nine grey geese on a lake"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("redis_server")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder like that of a clone."""
    for entry in PROJECT.iterdir():
        if entry.name not in ("var", ".git"):
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def test_each_block_does_what_the_page_says(clone: Path) -> None:
    assert {each.kind for each in blocks_of(GUIDE)} == {"sh", "diff", "text", "json"}
    address, asked, printed = f"http://127.0.0.1:{free_port()}", "", ""
    with terminal_in(clone) as terminal, ExitStack() as second_terminal:
        for kind, _, text in blocks_of(GUIDE.replace(HERE, address)):
            if kind == "diff":
                change(clone, text)
            elif kind == "text":
                assert text in printed
            elif kind == "json" and " -G " in asked:
                # Workers send what is in a batch, a moment later.
                again = partial(carry_out, terminal, asked)
                assert eventually(lambda say=again, text=text: says(say(), text))
            elif kind == "json":
                assert says(printed, text), printed
            elif "bin/run" in text:
                second_terminal.enter_context(console(clone, text, address))
                look_at_its_pages(address)
            else:
                if "areas remove" in text:
                    second_terminal.close()
                asked, printed = text, carry_out(terminal, text)


@contextmanager
def terminal_in(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A shell that ends with the first command that fails."""
    with subprocess.Popen(
        ["bash", "-e"],
        cwd=folder,
        env=clean_environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as shell:
        yield shell


def carry_out(shell: subprocess.Popen[str], block: str) -> str:
    """Returns what its commands print."""
    assert shell.stdin is not None
    shell.stdin.write(f"{block}echo; echo {DONE}\n")
    shell.stdin.flush()
    return read_until(shell, DONE)


@contextmanager
def console(folder: Path, block: str, address: str) -> Iterator[None]:
    """The console that the block starts, until it is left."""
    port = address.rpartition(":")[2]
    settings = {"PORT": port, "DEMO_ORDERS": "3", "DEMO_SECONDS": "0", "ADMIN_PASSWORD": PASSWORD}
    with running("bash", "-ec", f"cd {folder}\n{block}", **settings) as process:
        read_until(process, "Ctrl-C")
        yield


def look_at_its_pages(address: str) -> None:
    browser = requests.Session()
    form = browser.get(f"{address}/sign-in").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', form)
    assert token is not None
    sent = {"csrf_token": token[1], "name": "admin", "password": PASSWORD}
    home = browser.post(f"{address}/sign-in", data=sent)
    assert 'href="/repairs"' in home.text
    assert "Open repair" in browser.get(f"{address}/repairs").text
    assert 'name="hours"' in browser.get(f"{address}/commands/OpenRepair").text


def says(printed: str, expected: str) -> bool:
    """Whether the answers hold what the page shows of them, one after the other."""
    answers = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    shown = [json.loads(line) for line in expected.splitlines()]
    return len(answers) == len(shown) and all(map(holds, answers, shown))


def holds(answer: Any, shown: Any) -> bool:
    if isinstance(shown, dict):
        return all(name in answer and holds(answer[name], part) for name, part in shown.items())
    if isinstance(shown, list):
        return len(answer) == len(shown) and all(map(holds, answer, shown))
    return bool(answer == shown)
