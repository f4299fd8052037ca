"""The rows of a whole list through the query bus. Memory holds one page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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


def pages(queries: QueryBus, question: Query, actor: Actor) -> Iterator[Rows]:
    """The rows of `question`, page by page.

    The first page is requested at once, so NotAllowed, Busy and TimedOut are raised here, before
    anything is sent. Later pages may raise while the iterator runs; the rows until then are not the
    whole list.
    """
    if not actor.may(PERMISSION):
        raise NotAllowed("Export", PERMISSION)
    context = QueryContext(actor=actor, cached=False)
    return _from(queries, question, context, queries.ask(question, context).value)


def _from(queries: QueryBus, question: Any, context: QueryContext, page: Any) -> Iterator[Rows]:
    while True:
        yield page.rows
        if page.next is None:
            return
        page = queries.ask(replace(question, after=page.next), context).value
