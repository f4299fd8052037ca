"""What the product can do: areas declare it, the registry answers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cqrs_app.kernel.commands.aggregate import Aggregate, Method
from cqrs_app.kernel.errors import UnknownMessage
from cqrs_app.kernel.events.recorded import EventCodec, Upcaster
from cqrs_app.kernel.messages.messages import Command, Event, Query
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows

QueryHandler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Strong:
    """How a query is answered from the events: which stream, and what to make of the fold.

    The rows hold what the query's projections would store for that stream.
    """

    stream: Callable[[Any], str]
    handler: Callable[[Any, Rows], Any]


@dataclass(frozen=True, slots=True)
class FromState:
    """How a query is answered from the aggregate itself, as it stands now.

    The handler takes the query, the aggregate and its stream's version.
    """

    aggregate: type[Aggregate]
    identity: Callable[[Any], str]
    handler: Callable[[Any, Any, int], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One business area's table of contents. `refusals` says of each command which codes its
    rules can answer with, and what they mean. A handler of `answers_from_past` takes the query and
    the kernel's Past."""

    name: str
    handles: Mapping[type[Aggregate], Mapping[type[Command], Method]] = field(default_factory=dict)
    refusals: Mapping[type[Command], Mapping[str, str]] = field(default_factory=dict)
    events: Sequence[type[Event]] = ()
    upcasters: Mapping[tuple[str, int], Upcaster] = field(default_factory=dict)
    projections: Sequence[Projection] = ()
    answers: Mapping[type[Query], QueryHandler] = field(default_factory=dict)
    answers_strongly: Mapping[type[Query], Strong] = field(default_factory=dict)
    answers_from_state: Mapping[type[Query], FromState] = field(default_factory=dict)
    answers_from_past: Mapping[type[Query], QueryHandler] = field(default_factory=dict)
    middleware: Sequence[Any] = ()
    query_middleware: Sequence[Any] = ()


ERASURE = Area(name="erasure", events=[SubjectErased])
"""The kernel's own: what the projections of every area may handle."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a command goes: the aggregate's class and the method that decides."""

    aggregate: type[Aggregate]
    method: Method


class Registry:
    """Everything the areas declare, by name; fails at start-up on a doubled name."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self.areas = (*areas, ERASURE)
        self.routes: dict[type[Command], Route] = {}
        self.answers: dict[type[Query], QueryHandler] = {}
        self.answers_strongly: dict[type[Query], Strong] = {}
        self.answers_from_state: dict[type[Query], FromState] = {}
        self.answers_from_past: dict[type[Query], QueryHandler] = {}
        self.aggregates: dict[str, type[Aggregate]] = {}
        self.projections: dict[str, Projection] = {}
        for area in self.areas:
            for aggregate, methods in area.handles.items():
                if self.aggregates.setdefault(aggregate.category, aggregate) is not aggregate:
                    raise ValueError(f"two aggregates have the category {aggregate.category}")
                for command, method in methods.items():
                    self.routes[command] = Route(aggregate, method)
            self.answers |= area.answers
            self.answers_strongly |= area.answers_strongly
            self.answers_from_state |= area.answers_from_state
            self.answers_from_past |= area.answers_from_past
            for projection in area.projections:
                if projection.name in self.projections:
                    raise ValueError(f"two projections are called {projection.name}")
                self.projections[projection.name] = projection
        self.commands = _by_name(self.routes)
        self.queries = _by_name([*self.answers, *self.answers_from_state, *self.answers_from_past])
        self.events = _by_name(event for area in self.areas for event in area.events)
        for projection in self.projections.values():
            projection.bind(self.events.values())
        self.codec = EventCodec(
            self.events.values(),
            {key: upcast for area in self.areas for key, upcast in area.upcasters.items()},
        )

    def command(self, name: str) -> type[Command]:
        if name not in self.commands:
            raise UnknownMessage(f"There is no task called {name}.")
        return self.commands[name]

    def query(self, name: str) -> type[Query]:
        if name not in self.queries:
            raise UnknownMessage(f"There is no question called {name}.")
        return self.queries[name]

    def handler_of(self, query: type[Query]) -> QueryHandler:
        """The function that answers it, from wherever; its return type is the answer's."""
        from_state = self.answers_from_state.get(query)
        if from_state:
            return from_state.handler
        return self.answers.get(query) or self.answers_from_past[query]

    def permissions(self) -> frozenset[str]:
        """Every permission some command or query asks for."""
        messages: list[type[Command] | type[Query]] = [*self.routes, *self.queries.values()]
        return frozenset(message.declaration.permission for message in messages)

    def consumers_of(self, types: Iterable[str]) -> list[str]:
        """The projections that handle at least one of these event types, in the order in which
        they were declared."""
        wanted = set(types)
        return [name for name, each in self.projections.items() if wanted & each.handlers.keys()]


def _by_name(classes: Iterable[type[Any]]) -> dict[str, type[Any]]:
    named: dict[str, type[Any]] = {}
    for cls in classes:
        if named.setdefault(cls.__name__, cls) is not cls:
            raise ValueError(f"two messages are called {cls.__name__}")
    return named
