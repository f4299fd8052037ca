"""The API's description works with what others have: clients are generated and used, and strict
validators find nothing wrong."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from flask import Flask

from cqrs_app.services import services_of
from tests.clients.conftest import Tools
from tests.interfaces.web.pages.conftest import catch_up
from tests.processes.running import PROJECT

COMPILES = """
import json, re2
for pattern in json.load(open("patterns.json")):
    re2.compile(pattern)
"""
COMPILES_IN_JAVASCRIPT = """
import { readFileSync } from "node:fs";
for (const pattern of JSON.parse(readFileSync("patterns.json"))) {
  new RegExp(pattern);
  new RegExp(pattern, "u");
}
"""


@pytest.fixture
def address(console: Flask, serve: Callable[[Flask], str]) -> Iterator[str]:
    """The API of a real server whose pages follow."""
    over = threading.Event()

    def keep_up() -> None:
        while not over.wait(0.05):
            catch_up(console)

    following = threading.Thread(target=keep_up)
    following.start()
    yield f"{serve(console)}/api/v1"
    over.set()
    following.join()


@pytest.fixture
def token(console: Flask) -> str:
    secret: str = services_of(console).tokens.create("partner", "supervisor", made_by="test")
    return secret


def expected(prefix: str) -> dict[str, Any]:
    """What both programs print."""
    ids = [f"{prefix}-{number}" for number in range(3)]
    states = ["placed", "approved", "approved"]
    return {
        "receipt": ["OrderApproved"],
        "refusal": "already_approved",
        "rows": [[each, state, "15.30"] for each, state in zip(ids, states, strict=True)],
        "events": [
            *(["OrderPlaced", each] for each in ids),
            *(["OrderApproved", each] for each in ids[1:]),
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_client_in_python_is_generated_without_a_warning_and_works(
    tools: Tools, address: str, token: str
) -> None:
    said = tools.run(
        *("openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"),
        *("--path", "openapi.json", "--output-path", "countersign_client"),
        *("--config", "generator.yaml"),
    )
    assert not re.search("warning|error|skipping", said, re.IGNORECASE), said
    printed = tools.run("python", "orders.py", address, token)
    assert msgspec.json.decode(printed) == expected("PY")
    guide = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    example = guide.partition("```python\n")[2].partition("```")[0]
    order = example.replace("10042", "PY-0").replace("http://127.0.0.1:8000/api/v1", address)
    (tools.folder / "guide.py").write_text(order.replace('os.environ["TOKEN"]', repr(token)))
    assert tools.run("python", "guide.py") == "PY-0 approved 15.30\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_client_in_typescript_is_generated_without_a_warning_and_works(
    tools: Tools, address: str, token: str
) -> None:
    # A field that has a default may be left out: see docs/api.md.
    said = tools.run(
        *("openapi-typescript", "openapi.json", "--output", "schema.d.ts"),
        "--default-non-nullable=false",
    )
    assert not re.search("warning|error", said, re.IGNORECASE), said
    tools.run("tsc", "--project", ".")
    printed = tools.run("node", "orders.ts", address, token)
    assert msgspec.json.decode(printed) == expected("TS")


@pytest.mark.slow
def test_redocly_finds_nothing_wrong(tools: Tools) -> None:
    said = tools.run("redocly", "lint", "openapi.json", "--max-problems", "1000")
    assert "warning" not in said.lower(), said


@pytest.mark.slow
def test_spectral_finds_nothing_wrong(tools: Tools) -> None:
    said = tools.run("spectral", "lint", "openapi.json", "--fail-severity", "hint")
    assert "No results with a severity" in said


@pytest.mark.slow
def test_patterns_mean_something_to_re2_and_to_javascript(tools: Tools) -> None:
    document = msgspec.json.decode((tools.folder / "openapi.json").read_bytes())
    patterns = sorted({*patterns_in(document)})
    assert len(patterns) > 10
    (tools.folder / "patterns.json").write_bytes(msgspec.json.encode(patterns))
    tools.run("python", "-c", COMPILES)
    (tools.folder / "compile.mjs").write_text(COMPILES_IN_JAVASCRIPT)
    tools.run("node", "compile.mjs")


def patterns_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(found := part.get("pattern"), str):
            yield found
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from patterns_in(each)
