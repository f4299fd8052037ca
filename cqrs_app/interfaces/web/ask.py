"""Queries and commands on behalf of the signed-in operator."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import abort, g, request
from flask import session as cookie

from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Invalid, TimedOut
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.bounds import Bounds
from cqrs_app.kernel.queries.context import Answer, QueryContext
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.tracing.live import current_caller
from cqrs_app.services import kernel

Q = TypeVar("Q", bound=Query)
CHANNEL = "form"
SEEN = "seen"
"""The key in the session cookie of the position that the session has seen."""
NO_ANSWER = (*DATABASE_TROUBLE, TimedOut)
"""What a query raises while its store is down."""


def ask(query: Query, **consistency: Any) -> Answer[Any]:
    """The answer, with its freshness. Raises what the query bus raises: see errors.py.

    Where replicas are asked, it is never older than what the session has seen, whichever replica
    and whichever host answered before.
    """
    if not kernel.queries.has_replica:
        return kernel.queries.ask(query, QueryContext(actor=g.operator.actor, **consistency))
    bounds = Bounds(not_before=cookie.get(SEEN, 0))
    context = QueryContext(actor=g.operator.actor, bounds=bounds, **consistency)
    answer = kernel.queries.ask(query, context)
    if answer.freshness.furthest > cookie.get(SEEN, 0):
        cookie[SEEN] = answer.freshness.furthest
    return answer


def authorise(cls: type[Query]) -> None:
    """Raise NotAllowed if the operator may not ask this: before its fields are read."""
    kernel.queries.authorise(cls, QueryContext(actor=g.operator.actor))


def query_or_404(cls: type[Q], sentence: str, **identity: str) -> Q:
    """The question about one thing; an unusable identity is a 404. Raises NotAllowed."""
    authorise(cls)
    try:
        return cls(**identity)
    except Invalid:
        abort(404, sentence)


def ask_if_allowed(query: Query) -> Answer[Any] | None:
    """The answer, or None for an operator who may not ask this."""
    return ask(query) if may(query.declaration.permission) else None


def ask_or_none(query: Query) -> Answer[Any] | None:
    """The answer, or None while its store is down."""
    try:
        return ask(query)
    except NO_ANSWER:
        return None


def may(permission: str) -> bool:
    """Whether a page should offer a view; the query bus decides."""
    return bool(g.operator.actor.may(permission))


def may_act(permission: str) -> bool:
    """Whether a page should offer a command; the command bus decides. None is in maintenance
    mode."""
    return kernel.commands.enabled and may(permission)


def command_context(command_id: str, expected_version: int | None, why: str = "") -> Context:
    """The context of a command sent from a page."""
    return Context(
        actor=g.operator.actor,
        channel=CHANNEL,
        command_id=command_id,
        expected_version=expected_version,
        why=why,
    ).called_by(current_caller())


def is_fragment() -> bool:
    """Whether htmx requests a part of a page rather than a person the whole page."""
    return "HX-Request" in request.headers


def wants(fragment: str) -> bool:
    """Whether htmx will put the response into the element with this id."""
    return is_fragment() and _target() == fragment


def _target() -> str:
    # htmx 4 sends the element as `tag#id`.
    return request.headers.get("HX-Target", "").rpartition("#")[2]
