"""The rows of a whole list through the query bus, a page at a time: memory holds one page."""

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
"""Needed by every door beside the permission of the list itself, which the query bus checks."""

Rows = tuple[Any, ...]


def pages(queries: QueryBus, question: Query, actor: Actor) -> Iterator[Rows]:
    """The rows of `question`, in portions.

    The first portion is asked for at once: NotAllowed, Busy and TimedOut are raised here, before
    anything was sent. Later ones may raise while the iterator runs; what came until then is not
    the whole list.
    """
    if not actor.may(PERMISSION):
        raise NotAllowed("Export", PERMISSION)
    asker = QueryContext(actor=actor, cached=False)
    return _from(queries, question, asker, queries.ask(question, asker).value)


def _from(queries: QueryBus, question: Any, asker: QueryContext, page: Any) -> Iterator[Rows]:
    while True:
        yield page.rows
        if page.next is None:
            return
        page = queries.ask(replace(question, after=page.next), asker).value
