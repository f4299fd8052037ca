"""Where the answer to a query comes from. An area maps each of its queries to one of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.projections.rows import Rows

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
    """Answered from the store by a handler that takes the query and a connection."""

    handler: Answering
    strong: Strong | None = None


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
) -> Projected:
    """Answer from a projection. With `strong`, the answer can also be folded from the events of the
    `aggregate` that the query names, and of the streams `beside` it."""
    if aggregate is None or strong is None:
        return Projected(handler)
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


def actions_of(aggregate: type[Aggregate]) -> Offered:
    """Answer with the commands that one aggregate allows now: see commands/actions.py."""
    return Offered(aggregate)
