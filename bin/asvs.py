"""Writes docs/security/asvs.md from docs/security/asvs.toml; run by bin/asvs.

Standard library only.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "security"
HEAD = """# ASVS

What the console does about each requirement of levels 1 and 2 of the
[OWASP Application Security Verification Standard 5.0](https://github.com/OWASP/ASVS/tree/v5.0.0).
The words are ours; look the number up there for the requirement itself. Each has the tests that
show it, or a reason. `bin/asvs` writes this page from `docs/security/asvs.toml`; the tests check
both, and that each test that is named here exists.
"""


def page(chapters: dict[str, dict[str, Any]]) -> str:
    """The page, in the order of the file."""
    return "\n".join([HEAD, *_summary(chapters), *_chapters(chapters)]).rstrip() + "\n"


def _summary(chapters: dict[str, dict[str, Any]]) -> Iterator[str]:
    items = [each for chapter in chapters.values() for each in items_of(chapter).values()]
    shown = sum("tests" in each for each in items)
    still = sum("open" in each for each in items)
    alone = len(items) - shown - still
    parts = f"{shown} with tests, {alone} with a reason alone, {still} open"
    yield f"{len(items)} requirements: {parts}.\n"


def _chapters(chapters: dict[str, dict[str, Any]]) -> Iterator[str]:
    for number, chapter in chapters.items():
        yield f"## {number} {chapter['title']}\n"
        yield "| | level | what | shown by |"
        yield "|---|---|---|---|"
        for key, item in items_of(chapter).items():
            yield f"| {key} | {item['level']} | {item['about']} | {_shown(item)} |"
        yield ""


def _shown(item: dict[str, Any]) -> str:
    if "open" in item:
        return f"**Open**: {item['open']}"
    return "; ".join(dict.fromkeys([*_reason(item), *map(_test, item.get("tests", ()))]))


def _reason(item: dict[str, Any]) -> list[str]:
    return [item["reason"].rstrip(".")] if "reason" in item else []


def _test(name: str) -> str:
    file, _, function = name.partition("::")
    if file.startswith("tests/attack/"):
        return f"`bin/attack --only {Path(file).stem}`"
    return f"`{function.removeprefix('test_')}`"


def items_of(chapter: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Number -> requirement."""
    return {key: each for key, each in chapter.items() if isinstance(each, dict)}


def main() -> None:
    chapters = tomllib.loads((FOLDER / "asvs.toml").read_text(encoding="utf-8"))
    (FOLDER / "asvs.md").write_text(page(chapters), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
