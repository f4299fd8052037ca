"""The URL of the order list: parsed into queries, and built again with something changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from cqrs_app.areas.desk.queries.filters import OrderFilters
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.interfaces.web.ask import authorise
from cqrs_app.interfaces.web.columns import PARAMETER as COLUMNS
from cqrs_app.interfaces.web.listing import TAKEN
from cqrs_app.interfaces.web.typed import ME, read_here
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.messages import parse

Q = TypeVar("Q", bound=OrderFilters)

FILTERS = tuple(field.name for field in fields_of(OrderFilters))
_TITLES = {field.name: field.title for field in fields_of(ListOrders)}
PLACE = ("after", "before")
WHOLE = ("limit", "since")
SEVERAL = frozenset({"stage", "status"})
"""Parameters that may be given more than once."""
YES_OR_NO = ("descending", "flagged", "imported", "unassigned")
FLAGS = {"1": True, "0": False}
DAYS = dict.fromkeys(("placed_from", "placed_to"), "Enter a date, e.g. 2026-03-31.")
WORDS: Mapping[str, Callable[[str], str]] = {
    "stage": lambda value: OrderStage(value).label,
    "status": lambda value: OrderStatus(value).label,
    "assignee": lambda value: "Me" if value == ME else value,
    **dict.fromkeys(
        ("flagged", "imported", "unassigned"), lambda value: "yes" if FLAGS[value] else "no"
    ),
}
HIGHEST_FIRST = {"placed_at": True, "updated_at": True, "total": True, "order_id": False}


@dataclass(frozen=True, slots=True)
class Address:
    """The list's URL parameters: name -> values, without empty ones."""

    given: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> Address:
        kept = {name: tuple(v for v in args.getlist(name) if v.strip()) for name in args}
        return cls({name: each for name, each in kept.items() if each and name not in TAKEN})

    @classmethod
    def from_query(cls, query: str) -> Address:
        """Parses the query string of the list's URL."""
        return cls.of(MultiDict(parse_qsl(query)))

    def query(self) -> str:
        return urlencode(self.given, doseq=True)

    def question(self, cls: type[Q], **fixed: Any) -> Q:
        """The query for this URL, with some fields fixed by the page. Raises NotAllowed, or Invalid
        with a sentence per unusable parameter.
        """
        authorise(cls)
        return self.parsed(cls, **fixed)

    def parsed(self, cls: type[Q], **fixed: Any) -> Q:
        """The same for filters that are asked by another query."""
        try:
            return parse(cls, read_here(cls, self._values()) | fixed)
        except Invalid as invalid:
            found = invalid.problems.items()
            problems = {label(name): DAYS.get(name, text) for name, text in found}
            raise Invalid("The address of this list", problems) from invalid

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: found[0].strip()
            for name, found in self.given.items()
            if found and name != COLUMNS
        }
        for name in SEVERAL & self.given.keys():
            values[name] = list(dict.fromkeys(self.given[name]))
        for name in WHOLE:
            if values.get(name, "").isdecimal() and len(values[name]) <= 19:
                values[name] = int(values[name])
        for name in YES_OR_NO:
            if values.get(name, "") in FLAGS:
                values[name] = FLAGS[values[name]]
            elif name in values:
                raise Invalid("ListOrders", {name: "Write 1 for yes or 0 for no."})
        return values

    def filters(self) -> Address:
        """Only the filters, without the sorting and the page."""
        return replace(self, given={k: v for k, v in self.given.items() if k in FILTERS})

    def without(self, *names: str) -> Address:
        return replace(self, given={k: v for k, v in self.given.items() if k not in names})

    def url(self, endpoint: str = "web.orders", **changed: str | int | None) -> str:
        given: dict[str, Any] = {name: list(found) for name, found in self.given.items()}
        return url_for(endpoint, **given | changed)


def chips(address: Address) -> list[dict[str, str]]:
    """The active filters, each with the URL of the list without it."""
    first, found = address.without(*PLACE), []
    for name in FILTERS:
        for value in address.given.get(name, ()):
            left = tuple(each for each in address.given[name] if name in SEVERAL and each != value)
            rest = {k: v for k, v in {**first.given, name: left}.items() if v}
            text = WORDS[name](value) if name in WORDS else value
            found.append({"label": label(name), "value": text, "remove_url": Address(rest).url()})
    return found


def sorts(address: Address, question: ListOrders) -> dict[str, dict[str, str | None]]:
    """Per sortable column: the URL of its heading, and its direction now."""
    first, found = address.without(*PLACE), {}
    for name, highest_first in HIGHEST_FIRST.items():
        current = question.sort == name
        descending = not question.descending if current else highest_first
        found[name] = {
            "url": first.url(sort=name, descending=int(descending)),
            "direction": ("desc" if question.descending else "asc") if current else None,
        }
    return found


def pager(
    address: Address, next_mark: str | None, previous_mark: str | None, text: str
) -> dict[str, str]:
    """The URLs of the neighbouring pages, and which page this is."""
    first, found = address.without(*PLACE), {"text": text} if text else {}
    if previous_mark:
        found["previous_url"] = first.url(before=previous_mark)
    if next_mark:
        found["next_url"] = first.url(after=next_mark)
    return found


def label(name: str) -> str:
    """The parameter's name on the page."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize()
