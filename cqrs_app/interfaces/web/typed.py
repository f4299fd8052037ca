"""Converts what people type into filters to what programs write: a decimal point, countries in
English, a time with its zone, their own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import g

from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.zones import typed_moment
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.services import services

ME = "@me"
"""Whoever is signed in, in a filter that takes an operator; so a link means the same for all."""
COUNTRY = "country-name"
"""The `autocomplete` of fields that hold a country."""
PERSON = "person"
"""The hint of fields that hold an operator."""


def read_here(cls: type[Query], values: Mapping[str, Any]) -> dict[str, Any]:
    """The URL's values for a query; unreadable ones stay as they are, for the query to refuse."""
    formats, found = formats_of(services.settings.locale), dict(values)
    for field in fields_of(cls):
        text = found.get(field.name)
        if isinstance(text, str) and field.kind is Decimal:
            with suppress(ValueError):
                found[field.name] = format(formats.read(text), "f")
        elif isinstance(text, str) and field.kind is datetime:
            with suppress(ValueError):
                found[field.name] = typed_moment(text).isoformat()
        elif isinstance(text, str) and field.hints.get("autocomplete") == COUNTRY:
            found[field.name] = formats.stored_country(text)
        elif text == ME and field.hints.get(PERSON):
            found[field.name] = g.operator.name
    return found


def written_here(
    cls: type[Query], values: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The same backwards: what programs write, as the address of a page has it."""
    formats, found = formats_of(services.settings.locale), dict[str, tuple[str, ...]]()
    kinds = {field.name: field.kind for field in fields_of(cls)}
    for name, texts in values.items():
        if kinds.get(name) is Decimal:
            found[name] = tuple(formats.typed(Decimal(text)) for text in texts)
        elif kinds.get(name) is bool:
            found[name] = tuple({"true": "1", "false": "0"}.get(each, each) for each in texts)
        else:
            found[name] = tuple(texts)
    return found
