"""The stored shape of a type: its JSON schema without documentation."""

from __future__ import annotations

from typing import Any

import msgspec

DOCUMENTATION = frozenset(("description", "examples"))
"""The keywords of JSON Schema that have no effect on validation."""
NAMED = frozenset(("properties", "$defs"))
"""The keywords whose keys are names, not keywords."""


def shape_of(kind: Any) -> dict[str, Any]:
    """The JSON that a type is stored as, whatever its docstrings and whichever the Python
    version."""
    return undocumented(msgspec.json.schema(kind))


def undocumented(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema without documentation, at any depth."""
    return {
        keyword: {name: _undocumented(part) for name, part in value.items()}
        if keyword in NAMED
        else _undocumented(value)
        for keyword, value in schema.items()
        if keyword not in DOCUMENTATION
    }


def _undocumented(value: Any) -> Any:
    if isinstance(value, dict):
        return undocumented(value)
    if isinstance(value, list | tuple):
        return [_undocumented(item) for item in value]
    return value
