"""How the fields of a row are shown in a table, from their types."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_origin

from cqrs_app.kernel.messages.fields import hints_of, meta_of, plain_type

INTERNAL = frozenset({"applied_version", "currency"})
"""Fields that are not shown as they are."""
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "flag"),
    (int, "number"),
    (Decimal, "money"),
    (datetime, "moment"),
    (date, "day"),
    (Enum, "choice"),
    (str, "text"),
)
WIDE = frozenset({"rows", "lines"})
NUMBERS = frozenset({"number", "money", "moment", "day"})


@dataclass(frozen=True, slots=True)
class RowColumn:
    """A field of a row; `kind` says how components/record.html shows its values. `aligned`: to the
    right, as numbers and times are. Values of the kind "rows" are tuples of rows, with `columns`
    of their own."""

    name: str
    head: str
    kind: str
    columns: tuple[RowColumn, ...] = ()

    @property
    def aligned(self) -> bool:
        return self.kind in NUMBERS

    @property
    def is_wide(self) -> bool:
        """Whether it has a place of its own on the page of one thing."""
        return self.kind in WIDE


def row_columns(row: type) -> list[RowColumn]:
    """A column per field of a row, in order. A Decimal beside a field `currency` is an amount of
    money."""
    hints = hints_of(row)
    has_currency = "currency" in hints
    return [
        RowColumn(name, head_of(name, hint), _kind_of(hint, has_currency), _columns_of(hint))
        for name, hint in hints.items()
        if name not in INTERNAL
    ]


def head_of(name: str, hint: Any = None) -> str:
    """The heading of a field: the title of its type, or its name as words."""
    meta = meta_of(hint)
    return (meta and meta.title) or name.replace("_", " ").removesuffix(" at").capitalize()


def _columns_of(hint: Any) -> tuple[RowColumn, ...]:
    """Those of the rows that a field is a tuple of; none if it is something else."""
    plain = plain_type(hint)
    row, *_ = (*get_args(plain), None) if get_origin(plain) is tuple else (None,)
    return tuple(row_columns(row)) if is_dataclass(row) and isinstance(row, type) else ()


def _kind_of(hint: Any, has_currency: bool) -> str:
    plain, meta = plain_type(hint), meta_of(hint)
    if _columns_of(hint):
        return "rows"
    if plain is str and meta and (meta.extra or {}).get("widget") == "textarea":
        return "lines"
    if not isinstance(plain, type):
        return "list"
    kind = next((kind for cls, kind in _KINDS if issubclass(plain, cls)), "list")
    return "decimal" if kind == "money" and not has_currency else kind
