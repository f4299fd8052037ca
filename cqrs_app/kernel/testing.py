"""A test kit for aggregates and projections: given, when, then, in memory.

No database, no clock and no test framework: what does not hold raises AssertionError.

    orders = Scenarios(ORDERS, at=NOON)
    orders.given(PLACED).when(ApproveOrder(order_id="1")).then(APPROVED)
    orders.given(PLACED, APPROVED).when(ApproveOrder(order_id="1")).refused("already_approved")

`History` carries out commands on any number of streams and keeps the log that they leave, as the
store would record it: what projections are tested on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from cqrs_app.kernel.commands.aggregate import Aggregate, Claim, restore
from cqrs_app.kernel.commands.handling import decide
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded, StoredEvent
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Area, Registry

A = TypeVar("A", bound=Aggregate)

RECORDED_AFTER = timedelta(days=400)
"""A `History` records its events this long after its start: never at the time they happened."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: either events, perhaps with claims, or a refusal."""

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
        """The types of the events. Raises the refusal, if it was refused."""
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
        """Assert that it was refused with this code, and this sentence if one is given."""
        if self.refusal is None:
            raise AssertionError(f"it was accepted: {self.events}")
        found = (self.refusal.code, self.refusal.sentence)
        if found != (code, found[1] if sentence is None else sentence):
            raise AssertionError(f"expected {(code, sentence)}\n     got {found}")
        return self.refusal


@dataclass(frozen=True, slots=True)
class Given:
    """What happened before: events as they are, and commands that must be accepted."""

    registry: Registry
    at: datetime
    before: tuple[Event | Command, ...]

    def when(self, command: Command, *, history: bool = False) -> Outcome:
        """Decide one more command; `history`: it is one that happened, whatever the rules say."""
        subject = self.state(self.registry.routes[type(command)].aggregate)
        return _decide(self.registry, subject, command, self.at, history=history)

    def state(self, aggregate: type[A]) -> A:
        """An aggregate of this class after all that happened before."""
        subject = aggregate()
        for each in self.before:
            if isinstance(each, Event):
                subject.evolve(each, self.at)
            elif refusal := _decide(self.registry, subject, each, self.at).refusal:
                raise AssertionError(f"{each} was refused: {refusal.code}") from refusal
        return subject


class Scenarios:
    """Sentences about the aggregates of some areas; everything happens at `at` (UTC)."""

    def __init__(self, *areas: Area, at: datetime) -> None:
        self._registry = Registry(areas)
        self._at = at

    def given(self, *before: Event | Command) -> Given:
        return Given(self._registry, self._at, before)


@dataclass
class History:
    """Commands carried out one after the other. `recorded` is the log they left, in order, through
    the codec and back; events happen at `start` (UTC) unless a time is given."""

    registry: Registry
    start: datetime
    recorded: list[Recorded] = field(default_factory=list)
    aggregates: dict[str, Any] = field(default_factory=dict)
    """Each stream's aggregate as the commands so far left it."""
    _versions: dict[str, int] = field(default_factory=dict)

    def run(
        self,
        command: Command,
        at: datetime | None = None,
        operator: str = "ana",
        *,
        history: bool = False,
    ) -> Outcome:
        """Carry out a command; one that is refused leaves nothing."""
        aggregate = self.registry.routes[type(command)].aggregate
        stream, at = aggregate.stream_for(command), at or self.start
        subject = self.aggregates.setdefault(stream, aggregate())
        outcome = _decide(self.registry, subject, command, at, history=history)
        if not outcome.accepted:
            # It may have been refused half way through.
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
        """Append events to the log of a stream, whatever its rules say; those of `history` were
        recorded long after they happened."""
        for event in events:
            position = len(self.recorded) + 1
            learnt = self.start + RECORDED_AFTER + timedelta(seconds=position)
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
                recorded_at=learnt if history else at or self.start,
                position=position,
            )
            self.recorded.append(self.registry.codec.decode(stored))

    def of(self, stream: str) -> list[Recorded]:
        """The log of one stream."""
        return [each for each in self.recorded if each.stream == stream]


def fold(projections: Iterable[Projection], recorded: Iterable[Recorded]) -> Rows:
    """The rows that projections make of a log, in memory."""
    rows, events = Rows(), list(recorded)
    for projection in projections:
        projection.apply([each for each in events if each.stored.type in projection.handlers], rows)
    return rows


def _decide(
    registry: Registry, subject: Aggregate, command: Command, at: datetime, *, history: bool = False
) -> Outcome:
    handler = registry.routes[type(command)]
    try:
        decided = decide(subject, handler, command, at, history=history)
    except Refused as refusal:
        return Outcome(subject, refusal=refusal)
    return Outcome(subject, decided.events, decided.claims)
