"""Fields with values found while typing: customers by name, products by SKU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Given = Mapping[str, str]
"""The texts of other fields of the same form or row, by name."""
Asked = tuple[str, Given]
"""A value of a field, and the texts of those beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a field. `text` describes it beside the value. `fill` holds values for other
    fields. `note` is a remark about it, in the `tone` idle, good, warn or bad.
    """

    value: str
    text: str = ""
    fill: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    tone: str = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """How a field's values are found. A type names its lookup in `Meta(extra={"lookup": ...})`.

    `find` returns the choices for a text, `about` says what is known of each of some values, also
    of one that does not exist. Both also get the fields named in `uses`. Nobody sees either without
    the `permission`. `listed`: there are few, so they are shown before anything is typed.
    """

    permission: str
    find: Callable[[str, Given], Sequence[Choice]]
    about: Callable[[Sequence[Asked]], Sequence[Choice]]
    uses: tuple[str, ...] = ()
    listed: bool = False
