"""Derives what the pages of an area need and its declaration leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, get_args, get_type_hints

from msgspec import Meta
from sqlalchemy import Connection

from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.answers import Listed, Projected, actions_of, projected, state_as
from cqrs_app.kernel.queries.paging import MOST_COUNTS, counts_of
from cqrs_app.kernel.registry import Area
from cqrs_app.plugins.declaration import Pages


def complete(pages: Sequence[Pages], area: Area) -> tuple[list[Pages], Area]:
    """The pages with their questions about one thing, and the area with the answers to these.

    Derived are GetX, the state as a row of the list, and XActions; whoever may see the list may ask
    them. Pages whose list has no answer are left as they are: see problems.py.
    """
    completed, answers = [], dict(area.answers)
    for each in pages:
        found = replace(
            each,
            title=each.title or each.path.replace("-", " ").capitalize(),
            one=each.one or each.aggregate.category.replace("_", " "),
        )
        if each.list in answers:
            row = row_of(each, area)
            if found.get is Query:
                found = replace(found, get=_about_one(found, row, "Get{}", found.one.capitalize()))
                answers[found.get] = state_as(each.aggregate, row)
            if found.actions is Query:
                label = f"Actions on one {found.one}"
                found = replace(found, actions=_about_one(found, row, "{}Actions", label))
                answers[found.actions] = actions_of(each.aggregate)
        completed.append(found)
    return completed, replace(area, answers=answers)


def with_counts(pages: Sequence[Pages], area: Area) -> tuple[Mapping[str, type[Query]], Area]:
    """Path of a list -> the query that counts what several questions of the list find, and the area
    with the answers to these. Left out is a list that cannot be counted, since its answer is of
    another kind or it has no field `count`."""
    counts: dict[str, type[Query]] = {}
    answers = dict(area.answers)
    for each in pages:
        count = _counting(each.list, answers.get(each.list))
        if count is not None:
            counts[each.path] = _in_views(each)
            answers[counts[each.path]] = projected(count)
    return counts, replace(area, answers=answers)


def _counting(list_: type[Query], answer: Any) -> Callable[..., tuple[int, ...]] | None:
    """What counts the rows of several questions: in one statement where that of the list is
    known."""

    def in_one(question: Any, connection: Connection) -> tuple[int, ...]:
        return counts_of(map(answer.found, question.views), connection)

    def by_its_pages(question: Any, connection: Connection) -> tuple[int, ...]:
        counted = (replace(each, limit=1, count=True) for each in question.views)
        return tuple(answer.handler(each, connection).total for each in counted)

    if isinstance(answer, Listed):
        return in_one
    of_pages = isinstance(answer, Projected) and not answer.by_reader
    return by_its_pages if of_pages and "count" in hints_of(list_) else None


def row_of(pages: Pages, area: Area) -> type:
    """The type of the rows of the list."""
    answer = area.answers[pages.list]
    found: type = get_args(get_type_hints(answer.handler)["return"])[0]  # type: ignore[union-attr]
    return found


def _about_one(pages: Pages, row: type, name: str, label: str) -> type[Query]:
    made = _made(
        pages, name.format(pages.aggregate.__name__), pages.identity, hints_of(row)[pages.identity]
    )
    declared: type[Query] = query(label=label, permission=pages.list.declaration.permission)(made)
    return declared


def _in_views(pages: Pages) -> type[Query]:
    views = Annotated[tuple[pages.list, ...], Meta(max_length=MOST_COUNTS)]  # type: ignore[name-defined]
    made = _made(pages, f"{pages.list.__name__}InViews", "views", views)
    of_list = pages.list.declaration
    declared: type[Query] = query(
        label=f"{of_list.label} in views",
        permission=of_list.permission,
        reads=of_list.reads,
        cached=of_list.cached,
        store=of_list.store,
        listed=False,
    )(made)
    return declared


def _made(pages: Pages, name: str, field: str, hint: Any) -> type:
    """A class with one field."""
    namespace = {
        "__annotations__": {field: hint},
        "__doc__": f"Derived from the pages of {pages.path}.",
        "__module__": pages.list.__module__,
    }
    return type(name, (Query,), namespace)
