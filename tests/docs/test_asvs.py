"""The table of the OWASP ASVS: docs/security/asvs.toml."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from typing import Any

from bin import asvs
from tests.processes.running import PROJECT

CHAPTERS: dict[str, dict[str, Any]] = tomllib.loads(
    (asvs.FOLDER / "asvs.toml").read_text(encoding="utf-8")
)
COUNTS = {
    "V1": 27, "V2": 11, "V3": 19, "V4": 10, "V5": 9, "V6": 35, "V7": 18, "V8": 7, "V9": 7,
    "V10": 29, "V11": 14, "V12": 9, "V13": 13, "V14": 9, "V15": 13, "V16": 16, "V17": 7,
}  # fmt: skip
"""How many requirements of levels 1 and 2 each chapter of version 5.0.0 has."""
ITEMS = {key: item for each in CHAPTERS.values() for key, item in asvs.items_of(each).items()}


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


def test_every_requirement_of_levels_1_and_2_is_in_the_table() -> None:
    assert {number: len(asvs.items_of(each)) for number, each in CHAPTERS.items()} == COUNTS
    assert all(f"V{key.partition('.')[0]}" in CHAPTERS for key in ITEMS)
    assert {item["level"] for item in ITEMS.values()} == {1, 2}


def test_each_has_a_test_or_a_reason_and_none_is_open() -> None:
    assert [
        key for key, item in ITEMS.items() if not item.get("tests") and "reason" not in item
    ] == []
    assert [key for key, item in ITEMS.items() if "open" in item] == []


def test_each_test_that_is_named_exists() -> None:
    for key, item in ITEMS.items():
        for name in item.get("tests", ()):
            file, _, function = name.partition("::")
            assert function in functions(file), f"{key} names {name}"
            assert file.startswith("tests/attack/") or function.startswith("test_")


def test_the_page_says_what_the_table_says() -> None:
    written = (asvs.FOLDER / "asvs.md").read_text(encoding="utf-8")
    assert written == asvs.page(CHAPTERS), "run bin/asvs"
