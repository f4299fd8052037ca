"""Where the answer to a query comes from. An area maps each of its queries to one of these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import convert
from sqlalchemy import Connection, Row, Select, Table, or_, select

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.queries.paging import Page

Answering = Callable[..., Any]
"""A function whose first argument is the query; its return type is the answer's."""


Beside = Callable[[Any], Iterable[str]]
"""From a query to further streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strong:
    """How to fold the answer from events instead: from the stream of the `aggregate` that the query
    names, and from those that `beside` names. `handler` takes the query and the rows that its
    projections would store for these streams."""

    aggregate: type[Aggregate]
    handler: Callable[[Any, Rows], Any]
    beside: Beside


@dataclass(frozen=True, slots=True)
class Projected:
    """Answered from the store by a handler that takes the query and a connection. `by_reader`, for
    queries of the write store alone, whose answers are not cached: it also takes the actor who
    asks, as `reader`."""

    handler: Answering
    strong: Strong | None = None
    by_reader: bool = False


@dataclass(frozen=True, slots=True)
class Listed(Projected):
    """Answered with one page of what `found` selects for the query: a statement that can also be
    counted."""

    found: Callable[[Any], Select[Any]] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class FromState:
    """Answered from the current state of the aggregate that the query names. The handler takes the
    query, the aggregate and its stream's version; `allowed` raises Refused about an actor who may
    not ask for this one."""

    aggregate: type[Aggregate]
    handler: Answering
    allowed: Callable[[Any, Actor], None] | None = None


@dataclass(frozen=True, slots=True)
class FromPast:
    """Answered from the past. The handler takes the query and the Past; where the query reads
    projections, also a connection to them, or None for a strong answer. `by_reader`: it also takes
    the actor who asks, as `reader`."""

    handler: Answering
    by_reader: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """Answered with the commands that the aggregate named by the query allows now."""

    aggregate: type[Aggregate]


Answers = Projected | FromState | FromPast


def projected(
    handler: Answering,
    *,
    aggregate: type[Aggregate] | None = None,
    strong: Callable[[Any, Rows], Any] | None = None,
    beside: Beside = lambda query: (),
    by_reader: bool = False,
) -> Projected:
    """Answer from a projection; `by_reader`: the answer depends on what the one who asks may see.
    With `strong`, the answer can also be folded from the events of the
    `aggregate` that the query names, and of the streams `beside` it."""
    if aggregate is None or strong is None:
        return Projected(handler, by_reader=by_reader)
    return Projected(handler, Strong(aggregate=aggregate, handler=strong, beside=beside))


def from_state(
    aggregate: type[Aggregate],
    handler: Answering,
    *,
    allowed: Callable[[Any, Actor], None] | None = None,
) -> FromState:
    """Answer from the current state of one aggregate, if `allowed` raises nothing."""
    return FromState(aggregate, handler, allowed)


def from_past(handler: Answering, *, by_reader: bool = False) -> FromPast:
    """Answer from events up to a point in the past, see past.py. `by_reader`: the answer depends on
    what the one who asks may see."""
    return FromPast(handler, by_reader)


def listed(table: Table, row: type, *, search: Collection[str] = ()) -> Listed:
    """Answer a ListQuery with a page of a table, whose columns include the fields of the dataclass
    `row`.

    Each other field of the query that is named like a column selects the rows with its value,
    unless that is None; `q` selects those that have its text in one of the columns `search`.
    """

    names = tuple(hints_of(row))

    def matching(question: Any) -> Select[Any]:
        found = select(*(table.c[name] for name in names))
        for name in hints_of(type(question)):
            value = getattr(question, name)
            if name in table.c and value is not None:
                found = found.where(table.c[name] == value)
        if text := getattr(question, "q", "").strip():
            found = found.where(
                or_(*(table.c[name].icontains(text, autoescape=True) for name in search))
            )
        return found

    def made(found: Row[Any]) -> Any:
        return convert(dict(zip(names, found, strict=True)), row)

    def page(question: Any, connection: Connection) -> Any:
        return question.page(matching(question), connection, made)

    page.__annotations__["return"] = Page[row]  # type: ignore[valid-type]
    return Listed(page, found=matching)


def state_as(aggregate: type[Aggregate], row: type) -> FromState:
    """Answer with one aggregate's current state as the dataclass `row`, whose fields are its
    identity, fields of the state and `applied_version`; None if there is no such aggregate."""

    def shown(question: Any, found: Aggregate, version: int) -> Any:
        if not version:
            return None
        identity = {aggregate.identity: getattr(question, aggregate.identity)}
        return convert(identity | {"applied_version": version} | vars(found), row)

    shown.__annotations__["return"] = row | None
    return FromState(aggregate, shown)


def actions_of(aggregate: type[Aggregate]) -> Offered:
    """Answer with the commands that one aggregate allows now: see commands/actions.py."""
    return Offered(aggregate)
