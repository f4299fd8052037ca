"""A condition on many values, sent as one parameter: a statement with thousands of parameters takes
longer to compile and to send than to run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, String, literal, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

FEW = 50
"""Up to as many values, each is a parameter: the planner then knows how many there are."""


class _Listed(FunctionElement[str]):
    """The texts of a JSON list, as rows with a `value`."""

    inherit_cache = True
    type = String()


@compiles(_Listed, "sqlite")
def _on_sqlite(element: _Listed, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Listed, "postgresql")
def _on_postgresql(element: _Listed, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text(({compiler.process(element.clauses, **options)})::json)"


def among(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether the column is one of these texts."""
    texts = tuple(values)
    if len(texts) <= FEW:
        return column.in_(texts)
    sent = _Listed(literal(msgspec.json.encode(texts).decode()))
    return column.in_(select(literal_column("value")).select_from(sent))
