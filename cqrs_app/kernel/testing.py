"""A test kit for aggregates and projections: given, when, then, in memory.

It needs no database, clock or test framework. A failed expectation raises AssertionError.

    orders = Scenarios(ORDERS, at=NOON)
    orders.given(PLACED).when(ApproveOrder(order_id="1")).then(APPROVED)
    orders.given(PLACED, APPROVED).when(ApproveOrder(order_id="1")).refused("already_approved")

`History` carries out commands on any number of streams and keeps the resulting log as the store
would record it. Projections are tested on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from cqrs_app.kernel.commands.aggregate import Aggregate, Claim, restore
from cqrs_app.kernel.commands.handling import decide
from cqrs_app.kernel.commands.performer import Performer
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded, StoredEvent
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Area, Registry

A = TypeVar("A", bound=Aggregate)

SOMEBODY = Performer(name="ana", history=True)
"""Who carries out a command unless a test says: somebody with every permission."""

RECORDED_AFTER = timedelta(days=400)
"""How long after its start a `History` records its events, so that none is recorded when it
happened."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a command: events, possibly with claims, or a refusal."""

    subject: Any
    """The aggregate after the command."""
    events: tuple[Event, ...] = ()
    claims: tuple[Claim, ...] = ()
    refusal: Refused | None = None

    @property
    def accepted(self) -> bool:
        return self.refusal is None

    @property
    def names(self) -> list[str]:
        """The types of the events. Raises the refusal if the command was refused."""
        if self.refusal:
            raise self.refusal
        return [type(event).__name__ for event in self.events]

    def then(self, *events: Event) -> Any:
        """Assert that exactly these events followed; returns the aggregate."""
        if self.refusal:
            raise AssertionError(f"it was refused: {self.refusal.code}: {self.refusal.sentence}")
        if self.events != events:
            raise AssertionError(f"expected {events}\n     got {self.events}")
        return self.subject

    def refused(self, code: str, sentence: str | None = None) -> Refused:
        """Assert that the command was refused with this code and, if given, this sentence."""
        if self.refusal is None:
            raise AssertionError(f"it was accepted: {self.events}")
        found = (self.refusal.code, self.refusal.sentence)
        if found != (code, found[1] if sentence is None else sentence):
            raise AssertionError(f"expected {(code, sentence)}\n     got {found}")
        return self.refusal


@dataclass(frozen=True, slots=True)
class Given:
    """The starting point of a scenario: events as given, and commands, which must be accepted."""

    registry: Registry
    at: datetime
    before: tuple[Event | Command, ...]

    def when(
        self, command: Command, *, history: bool = False, performer: Performer = SOMEBODY
    ) -> Outcome:
        """Decide one more command. With `history` it has already happened: see
        `Context.occurred_at`."""
        subject = self.state(self.registry.routes[type(command)].aggregate)
        return _decide(self.registry, subject, command, self.at, performer, history=history)

    def state(self, aggregate: type[A]) -> A:
        """The aggregate of this class in the given state."""
        subject = aggregate()
        for each in self.before:
            if isinstance(each, Event):
                subject.evolve(each, self.at)
            elif refusal := _decide(self.registry, subject, each, self.at, SOMEBODY).refusal:
                raise AssertionError(f"{each} was refused: {refusal.code}") from refusal
        return subject


class Scenarios:
    """Scenarios for the aggregates of some areas. Everything happens at `at` (UTC)."""

    def __init__(self, *areas: Area, at: datetime) -> None:
        self._registry = Registry(areas)
        self._at = at

    def given(self, *before: Event | Command) -> Given:
        return Given(self._registry, self._at, before)


@dataclass
class History:
    """Commands carried out one after the other. `recorded` is the resulting log, in order, decoded
    from what would be stored. Events happen at `start` (UTC) unless a time is given."""

    registry: Registry
    start: datetime
    recorded: list[Recorded] = field(default_factory=list)
    aggregates: dict[str, Any] = field(default_factory=dict)
    """Stream -> its aggregate after the commands so far."""
    _versions: dict[str, int] = field(default_factory=dict)

    def run(
        self,
        command: Command,
        at: datetime | None = None,
        operator: str = "ana",
        *,
        history: bool = False,
    ) -> Outcome:
        """Carry out a command. A refused one changes nothing."""
        aggregate = self.registry.routes[type(command)].aggregate
        stream, at = aggregate.stream_for(command), at or self.start
        subject = self.aggregates.setdefault(stream, aggregate())
        performer = Performer(name=operator, history=True)
        outcome = _decide(self.registry, subject, command, at, performer, history=history)
        if not outcome.accepted:
            # If it was refused midway, the aggregate is half changed.
            self.aggregates[stream] = restore(aggregate, None, self.of(stream))
        self.record(stream, outcome.events, at, operator, history=history)
        return outcome

    def record(
        self,
        stream: str,
        events: Iterable[Event],
        at: datetime | None = None,
        operator: str = "ana",
        *,
        history: bool = False,
    ) -> None:
        """Append events to a stream without asking its rules. With `history`, they are recorded
        long after they happened."""
        for event in events:
            position = len(self.recorded) + 1
            recorded_at = self.start + RECORDED_AFTER + timedelta(seconds=position)
            self._versions[stream] = self._versions.get(stream, 0) + 1
            stored = StoredEvent(
                stream=stream,
                version=self._versions[stream],
                type=type(event).__name__,
                schema=event.schema,
                payload=msgspec.json.encode(event).decode(),
                operator=operator,
                command_id=f"command-{position}",
                correlation_id=f"command-{position}",
                causation_id=None,
                occurred_at=at or self.start,
                recorded_at=recorded_at if history else at or self.start,
                position=position,
            )
            self.recorded.append(self.registry.codec.decode(stored))

    def of(self, stream: str) -> list[Recorded]:
        """The log of one stream."""
        return [each for each in self.recorded if each.stream == stream]


def fold(projections: Iterable[Projection], recorded: Iterable[Recorded]) -> Rows:
    """The rows that projections build from a log, in memory."""
    rows, events = Rows(), list(recorded)
    for projection in projections:
        projection.apply([each for each in events if each.stored.type in projection.handlers], rows)
    return rows


def _decide(
    registry: Registry,
    subject: Aggregate,
    command: Command,
    at: datetime,
    performer: Performer,
    *,
    history: bool = False,
) -> Outcome:
    handler = registry.routes[type(command)]
    if handler.takes_performer:
        handler = handler.given({"performer": performer})
    try:
        decided = decide(subject, handler, command, at, history=history)
    except Refused as refusal:
        return Outcome(subject, refusal=refusal)
    return Outcome(subject, decided.events, decided.claims)
