"""The reason of a refusal by an area is the reason alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from cqrs_app import areas

KEPT = "Nothing was changed"


def refusals_with_more_than_a_reason() -> Iterator[str]:
    """Calls of a refusal, a constant, whose sentence also says what was kept."""
    for path in Path(areas.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if called and node.func.id.isupper() and KEPT in "".join(map(ast.unparse, node.args)):
                yield f"{path}:{node.lineno}"


def test_what_was_kept_is_added_by_because_and_never_part_of_a_reason() -> None:
    """Reasons are shown for actions that nobody has sent yet."""
    assert list(refusals_with_more_than_a_reason()) == []
