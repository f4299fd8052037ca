"""Collects what the areas declare and looks it up by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from cqrs_app.kernel.commands.actions import Possible, possible
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.consequences import Consequences
from cqrs_app.kernel.commands.handling import Handler, Rule, handlers_of, with_rules
from cqrs_app.kernel.errors import UnknownMessage
from cqrs_app.kernel.events.recorded import UTC, EventCodec, Upcaster
from cqrs_app.kernel.messages.messages import Command, Event, Query
from cqrs_app.kernel.messages.notation import AS_THEY_ARE, Notation
from cqrs_app.kernel.messages.permissions import Permission, permissions_by_role
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.queries.answers import Answering, Answers, FromState, Offered
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.kernel.subscriptions.tasks import WORKER, BackgroundTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One business area's table of contents.

    `aggregates` declare which commands they handle; `settings` are further arguments of their
    methods, by command. `events` is the module that defines the events, or a list. `rules` are this
    area's rules on commands of other areas. `consequences` say what it would do about a command
    that is previewed. `permissions` are those that none of its commands or queries requires.
    `topic` is what the catalogue lists its messages under, its name unless given.
    """

    name: str
    topic: str = ""
    aggregates: Sequence[type[Aggregate]] = ()
    settings: Mapping[type[Command], Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[type[Command], Rule] = field(default_factory=dict)
    events: ModuleType | Sequence[type[Event]] = ()
    upcasters: Mapping[tuple[str, int], Upcaster] = field(default_factory=dict)
    projections: Sequence[Projection] = ()
    subscriptions: Sequence[Subscription] = ()
    tasks: Sequence[BackgroundTask] = ()
    answers: Mapping[type[Query], Answers | Offered] = field(default_factory=dict)
    middleware: Sequence[Any] = ()
    consequences: Sequence[Consequences] = ()
    permissions: Sequence[Permission] = ()

    @property
    def handlers(self) -> dict[type[Command], Handler]:
        """Its commands, in the order in which the aggregates define them."""
        return {
            command: replace(handler, settings=self.settings[command])
            if command in self.settings
            else handler
            for aggregate in self.aggregates
            for command, handler in handlers_of(aggregate).items()
        }

    @property
    def event_types(self) -> tuple[type[Event], ...]:
        """Its events, in order of definition."""
        return events_in(self.events) if isinstance(self.events, ModuleType) else (*self.events,)


ERASURE = Area(name="erasure", events=[SubjectErased])
"""The kernel's own area, whose event the projections of every area may handle."""


class Registry:
    """Everything that the areas declare, by name. `notation` is how decimals in events and answers
    are written, `zone` the time zone of business days. Raises ValueError on a duplicate name."""

    def __init__(
        self, areas: Iterable[Area], notation: Notation = AS_THEY_ARE, zone: ZoneInfo = UTC
    ) -> None:
        self.areas = (*areas, ERASURE)
        areas, declared = self.areas, [each for area in self.areas for each in area.projections]
        projections = [each.own() for each in declared]
        aggregates = (each for area in areas for each in area.aggregates)
        self.aggregates: dict[str, type[Aggregate]] = _named("aggregates", "category", aggregates)
        self.routes = self._routes()
        self.answers = self._answers()
        self.projections = {each.name: each for each in projections}
        # Projections come first: pages wait for them.
        subscriptions = (*projections, *(each for area in areas for each in area.subscriptions))
        self.subscriptions: dict[str, Subscription] = _named("subscriptions", "name", subscriptions)
        tasks = (each for area in areas for each in area.tasks)
        self.tasks: dict[str, BackgroundTask] = _named("background tasks", "name", tasks)
        self.commands: dict[str, type[Command]] = _named("commands", "__name__", self.routes)
        listed = (each for each in self.answers if each.declaration.listed)
        self.queries: dict[str, type[Query]] = _named("queries", "__name__", listed)
        events = (event for area in areas for event in area.event_types)
        self.events: dict[str, type[Event]] = _named("events", "__name__", events)
        # Those that areas declare are bound too: a test folds histories with them.
        for projection in (*declared, *projections):
            projection.bind(self.events.values())
        self.codec = EventCodec(
            self.events.values(),
            {key: upcast for area in self.areas for key, upcast in area.upcasters.items()},
            notation,
            zone,
        )
        self.notation = notation

    def command(self, name: str) -> type[Command]:
        if name not in self.commands:
            raise UnknownMessage(f"There is no command called {name}.")
        return self.commands[name]

    def query(self, name: str) -> type[Query]:
        if name not in self.queries:
            raise UnknownMessage(f"There is no question called {name}.")
        return self.queries[name]

    def handler_of(self, query: type[Query]) -> Answering:
        """The function that answers the query. Its return type is that of the answer."""
        return self.answers[query].handler

    @property
    def middleware(self) -> list[Any]:
        """The middleware of all areas, in order."""
        return [each for area in self.areas for each in area.middleware]

    @property
    def consequences(self) -> list[Consequences]:
        return [each for area in self.areas for each in area.consequences]

    def permissions(self) -> frozenset[Permission]:
        """All declared permissions."""
        return frozenset(self._permissions())

    @cached_property
    def roles(self) -> Mapping[str, frozenset[str]]:
        """Role -> permissions, from the least privileged to the most."""
        return permissions_by_role(self._permissions())

    def workers(self) -> dict[str, list[BackgroundTask]]:
        """Kind of process -> its background tasks. The general kind comes first."""
        kinds: dict[str, list[BackgroundTask]] = {WORKER: []}
        for task in self.tasks.values():
            kinds.setdefault(task.worker, []).append(task)
        return kinds

    def subscribers_of(self, types: Iterable[str]) -> list[str]:
        """The subscriptions that want at least one of these event types: projections first, then
        the others, each in order of declaration."""
        wanted = set(types)
        return [name for name, each in self.subscriptions.items() if any(map(each.wants, wanted))]

    def projections_of(self, types: Iterable[str]) -> list[str]:
        """The projections among `subscribers_of`."""
        return [name for name in self.subscribers_of(types) if name in self.projections]

    def _permissions(self) -> Iterator[Permission]:
        for message in (*self.routes, *self.answers):
            yield message.declaration.permission
        for area in self.areas:
            yield from area.permissions

    def _routes(self) -> dict[type[Command], Handler]:
        routes = {command: each for area in self.areas for command, each in area.handlers.items()}
        for area in self.areas:
            for command, rule in area.rules.items():
                routes[command] = with_rules(routes[command], [rule])
        return routes

    def _answers(self) -> dict[type[Query], Answers]:
        return {
            query: self._offering(answer.aggregate) if isinstance(answer, Offered) else answer
            for area in self.areas
            for query, answer in area.answers.items()
        }

    def _offering(self, aggregate: type[Aggregate]) -> FromState:
        routes = {
            command: each for command, each in self.routes.items() if each.aggregate is aggregate
        }

        def offered(question: Query, found: Aggregate, version: int) -> Possible:
            return possible(routes, found, getattr(question, aggregate.identity), version)

        return FromState(aggregate, offered)


def events_in(module: ModuleType) -> tuple[type[Event], ...]:
    """The events that a module defines, in order. Imported ones are left out."""
    return tuple(
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Event) and each.__module__ == module.__name__
    )


def _named(what: str, attribute: str, found: Iterable[Any]) -> dict[str, Any]:
    """Index by this attribute. Raises ValueError on a duplicate."""
    named: dict[str, Any] = {}
    for each in found:
        name = getattr(each, attribute)
        if named.setdefault(name, each) is not each:
            raise ValueError(f"two {what} are called {name}")
    return named
