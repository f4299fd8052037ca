"""Where the answer to a query comes from: an area maps each of its queries to one of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.projections.rows import Rows

Answering = Callable[..., Any]
"""A function whose first argument is the query; its return type is the answer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strong:
    """How a projected answer is folded from one stream's events instead: `handler` takes the query
    and the rows that its projections would store for that stream."""

    aggregate: type[Aggregate]
    handler: Callable[[Any, Rows], Any]


@dataclass(frozen=True, slots=True)
class Projected:
    """Answered from the store by a handler that takes the query and a connection."""

    handler: Answering
    strong: Strong | None = None


@dataclass(frozen=True, slots=True)
class FromState:
    """Answered from the aggregate that the query names, as it is now: the handler takes the query,
    the aggregate and its stream's version."""

    aggregate: type[Aggregate]
    handler: Answering


@dataclass(frozen=True, slots=True)
class FromPast:
    """Answered from an aggregate as it was: the handler takes the query and the Past."""

    handler: Answering


@dataclass(frozen=True, slots=True)
class Offered:
    """Answered by the rules of the aggregate that the query names: what may be done with it."""

    aggregate: type[Aggregate]


Answers = Projected | FromState | FromPast


def projected(
    handler: Answering,
    *,
    aggregate: type[Aggregate] | None = None,
    strong: Callable[[Any, Rows], Any] | None = None,
) -> Projected:
    """From a projection. With `strong`, on request also folded from the events of the `aggregate`
    that the query names."""
    if aggregate is None or strong is None:
        return Projected(handler)
    return Projected(handler, Strong(aggregate=aggregate, handler=strong))


def from_state(aggregate: type[Aggregate], handler: Answering) -> FromState:
    """From the events of one aggregate, as it is now."""
    return FromState(aggregate, handler)


def from_past(handler: Answering) -> FromPast:
    """From the events of any aggregate, as it was."""
    return FromPast(handler)


def actions_of(aggregate: type[Aggregate]) -> Offered:
    """What may be done with one aggregate now: see commands/actions.py."""
    return Offered(aggregate)
