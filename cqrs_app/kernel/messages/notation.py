"""One notation per decimal, which depends on a unit beside it, such as its currency."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin

from cqrs_app.kernel.messages.fields import hints_of, plain_type

Writer = Callable[[Any, str], Any]
"""Takes a value and the unit around it. Returns the value in its notation, or the same object if
nothing changes."""


@dataclass(frozen=True)
class Notation:
    """The unit of a decimal is in the text field `field` of the same value or of the nearest one
    around it. `write` gives a decimal the digits of its unit. Without a `field`, decimals stay
    unchanged."""

    field: str = ""
    write: Callable[[Decimal, str], Decimal] = lambda number, unit: number

    def writer(self, hint: Any) -> Callable[[Any], Any] | None:
        """The function that writes the decimals in values of this type; None if it has none.

        Raises TypeError for a decimal without a unit.
        """
        return _writer_of(self, hint) if self.field else None

    def _writer(self, hint: Any, place: str, *, has_unit: bool) -> Writer | None:
        kind = plain_type(hint)
        if kind is Decimal:
            if not has_unit:
                raise TypeError(f"{place} is a decimal with no {self.field} beside it")
            return _number(self.write)
        if get_origin(kind) is tuple:
            item = self._writer(get_args(kind)[0], place, has_unit=has_unit)
            return _items(item) if item else None
        fields = dict(_fields_of(kind))
        has_unit = has_unit or self.field in fields
        cls = getattr(kind, "__name__", "")
        parts = {
            name: part
            for name, each in fields.items()
            if (part := self._writer(each, f"{cls}.{name}", has_unit=has_unit))
        }
        return _parts(parts, self.field if self.field in fields else "") if parts else None


@cache
def _writer_of(notation: Notation, hint: Any) -> Callable[[Any], Any] | None:
    inside = notation._writer(hint, "", has_unit=False)
    return (lambda value: inside(value, "")) if inside else None


AS_THEY_ARE = Notation()


def _fields_of(kind: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass with their types. For a parametrized generic, such as `Page[Row]`,
    the argument replaces the type variable."""
    cls = get_origin(kind) or kind
    if isinstance(cls, type) and is_dataclass(cls):
        given = dict(zip(getattr(cls, "__parameters__", ()), get_args(kind), strict=False))
        for name, hint in hints_of(cls).items():
            free = getattr(hint, "__parameters__", ())
            yield name, hint[tuple(given[each] for each in free)] if free else hint


def _number(write: Callable[[Decimal, str], Decimal]) -> Writer:
    return lambda value, unit: None if value is None else write(value, unit)


def _items(item: Writer) -> Writer:
    def write(value: tuple[Any, ...] | None, unit: str) -> Any:
        for each in value or ():
            if item(each, unit) is not each:
                return tuple(item(every, unit) for every in value or ())
        return value

    return write


def _parts(parts: Mapping[str, Writer], unit_field: str) -> Writer:
    listed = tuple(parts.items())

    def write(value: Any, unit: str) -> Any:
        if value is None:
            return None
        unit = getattr(value, unit_field) if unit_field else unit
        changed = None
        for name, part in listed:
            old = getattr(value, name)
            new = part(old, unit)
            if new is not old:
                changed = {**(changed or {}), name: new}
        return replace(value, **changed) if changed else value

    return write
