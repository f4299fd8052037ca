"""A usable example of every message, made from its declaration."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import msgspec

from cqrs_app.kernel.fields import hints_of, meta_of, plain_type, required_of

_PLAIN: dict[Any, Any] = {
    bool: False,
    int: 1,
    float: 1.5,
    str: "text",
    Decimal: "12.50",
    date: date(2026, 3, 31),
    datetime: datetime(2026, 3, 31, 14, 5, tzinfo=UTC),
}


def example_of(cls: Any, *, whole: bool = True) -> dict[str, Any]:
    """Plain values for the fields that are needed and, when `whole`, for those that say an example
    of themselves (`Meta(examples=[...])`)."""
    needed = required_of(cls)
    return {
        name: _value(hint)
        for name, hint in hints_of(cls).items()
        if name in needed or (whole and _has_example(hint))
    }


def _has_example(hint: Any) -> bool:
    meta = meta_of(hint)
    if meta and meta.examples:
        return True
    kind = plain_type(hint)
    return hasattr(kind, "__dataclass_fields__") and any(map(_has_example, hints_of(kind).values()))


def _value(hint: Any) -> Any:
    meta, kind = meta_of(hint), plain_type(hint)
    if meta and meta.examples:
        return meta.examples[0]
    if get_origin(kind) is tuple:
        return [_value(get_args(kind)[0])]
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    if hasattr(kind, "__dataclass_fields__"):
        return example_of(kind)
    if kind is int and meta and meta.ge is not None:
        return max(int(meta.ge), 1)
    return msgspec.to_builtins(_PLAIN[kind])
