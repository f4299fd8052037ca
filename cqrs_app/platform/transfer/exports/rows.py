"""The rows of a whole list through the query bus. Memory holds one page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.queries.bus import QueryBus
from cqrs_app.kernel.queries.context import QueryContext

PERMISSION = Permission("exports.run", Role.SUPERVISOR)
"""Required by every interface in addition to the permission of the list, which the query bus
checks."""

Rows = tuple[Any, ...]
Columns = Mapping[str, Any]
"""The fields of a row, in order -> the types of their values."""


def authorise(queries: QueryBus, query: type[Query], actor: Actor) -> None:
    """Raise NotAllowed if the actor may not export such a list."""
    if not actor.may(PERMISSION):
        raise NotAllowed("Export", PERMISSION)
    queries.authorise(query, QueryContext(actor=actor))


def pages(queries: QueryBus, question: Query, actor: Actor) -> Iterator[Rows]:
    """The rows of `question`, page by page.

    The first page is requested at once, so NotAllowed, Busy and TimedOut are raised here, before
    anything is sent. Later pages may raise while the iterator runs; the rows until then are not the
    whole list.
    """
    authorise(queries, type(question), actor)
    context = QueryContext(actor=actor, cached=False)
    return _from(queries, question, context, queries.ask(question, context).value)


def _from(queries: QueryBus, question: Any, context: QueryContext, page: Any) -> Iterator[Rows]:
    while True:
        yield page.rows
        if page.next is None:
            return
        page = queries.ask(replace(question, after=page.next), context).value


def values_of(columns: Columns, rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """The values of each row."""
    names = tuple(columns)
    if len(names) == 1:
        return ((getattr(row, names[0]),) for row in rows)
    return map(attrgetter(*names), rows)
