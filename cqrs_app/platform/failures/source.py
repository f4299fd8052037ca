"""Values as Python source, with the imports that it needs."""

from __future__ import annotations

import dataclasses
import sys
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any


class Source:
    """Collects the imports of the values that it writes."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = defaultdict(set)

    def of(self, value: Any) -> str:
        """An expression for a message, a value with fields, or a plain value."""
        match value:
            case Enum():
                return f"{self.name(type(value))}.{value.name}"
            case datetime():
                return self._moment(value)
            case date():
                self.need("datetime", "date")
                return f"date({value.year}, {value.month}, {value.day})"
            case Decimal():
                self.need("decimal", "Decimal")
                return f'Decimal("{value}")'
            case str():
                return _quoted(value)
            case tuple() | list():
                inner = ", ".join(map(self.of, value))
                return f"({inner},)" if len(value) == 1 else f"({inner})"
            case dict():
                return f"{{{', '.join(f'{self.of(k)}: {self.of(v)}' for k, v in value.items())}}}"
        if dataclasses.is_dataclass(value):
            fields = (each for each in dataclasses.fields(value) if _is_given(value, each))
            given = (f"{each.name}={self.of(getattr(value, each.name))}" for each in fields)
            return f"{self.name(type(value))}({', '.join(given)})"
        return repr(value)

    def name(self, cls: type[Any]) -> str:
        """The name of a class, which is imported."""
        return self.need(cls.__module__, cls.__name__)

    def need(self, module: str, name: str) -> str:
        """Import this name."""
        self._imports[module].add(name)
        return name

    @property
    def imports(self) -> str:
        """The import statements: standard library, other packages, this product."""
        blocks: dict[int, list[str]] = defaultdict(list)
        for module, names in sorted(self._imports.items()):
            kind = 2 if module.startswith("cqrs_app") else module not in sys.stdlib_module_names
            blocks[kind].append(f"from {module} import {', '.join(sorted(names))}")
        return "\n\n".join("\n".join(lines) for _, lines in sorted(blocks.items()))

    def _moment(self, value: datetime) -> str:
        self.need("datetime", "datetime")
        self.need("datetime", "UTC")
        parts = [value.year, value.month, value.day, value.hour, value.minute, value.second]
        if value.microsecond:
            parts.append(value.microsecond)
        return f"datetime({', '.join(map(str, parts))}, tzinfo=UTC)"


def _is_given(value: Any, field: Any) -> bool:
    return field.default is dataclasses.MISSING or getattr(value, field.name) != field.default


def _quoted(text: str) -> str:
    """In double quotes where they need no escape."""
    plain = repr(text)
    return f'"{text}"' if plain == f"'{text}'" and '"' not in text else plain
