"""Aggregates: plain state, one method per command, one `evolve`. Pure: no clock, no I/O.

A method takes its command and yields events or raises Refused. Each event is passed to `evolve` as
soon as it is yielded, so the next line of the method sees its effect.

A method may also *yield* a Refused, an objection. For a live command it is raised. For history,
which happened whatever today's rules say, the aggregate may record an event instead (`flag`), and
the method continues. A method may also yield claims of values that only one stream may hold, and
whose personal data is from now on also whose: see Claim and Ownership.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, TypeVar

import msgspec

from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded, Snapshot
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, Event, Query

A = TypeVar("A", bound="Aggregate")


@dataclass(frozen=True, slots=True)
class Claim:
    """From now on this stream holds this value of a kind, and no other stream may.

    A stream holds one value of a kind: a new claim replaces the previous one, and an empty value
    releases it. `taken` is the refusal if another stream holds the value.
    """

    kind: str
    value: str
    taken: Refused


@dataclass(frozen=True, slots=True)
class Ownership:
    """From now on the personal data of `subject` is also that of `owner`: erasing the owner erases
    the subject too."""

    subject: str
    owner: str


Decision = Iterator[Event | Refused | Claim | Ownership]
"""What a method yields."""

SNAPSHOT_ALWAYS_BELOW = 8_192
"""A snapshot of fewer characters is written with every command."""

SNAPSHOT_EVERY = 50
"""Events between two snapshots of a larger state."""


class Aggregate:
    """Base of every aggregate; subclasses are dataclasses whose fields all have defaults.

    The state must hold no personal data: snapshots are stored unsealed.
    """

    category: ClassVar[str]
    """The prefix of its streams' names."""
    identity: ClassVar[str]
    """The field of its commands and queries that holds its id."""
    shape: ClassVar[int] = 1
    """Increment it when the state's fields change: older snapshots are then ignored."""

    @property
    def belongs_to(self) -> str:
        """The stream of the person that owns this aggregate: erasing that person also makes the
        personal values of this stream unreadable. Empty if it has no other owner."""
        return ""

    @property
    def worth(self) -> Mapping[str, Decimal]:
        """The amount that it is about, by currency. Empty if it is about none."""
        return {}

    def evolve(self, event: Event, at: datetime) -> None:
        """Apply one event that happened at `at` (UTC)."""
        raise TypeError(f"{type(self).__name__} does not evolve")

    def take(self, event: Event) -> None:
        """Take over the event's values into the fields of the state with the same names."""
        for name in hints_of(type(event)):
            if hasattr(self, name):
                setattr(self, name, getattr(event, name))

    def doubts(self, at: datetime, now: datetime) -> Iterator[Refused]:
        """Objections to the time `at` of history, raised after it has been applied to this
        aggregate. Each is passed to `flag`."""
        return iter(())

    def flag(self, objection: Refused, command: Command) -> Event | None:
        """The event that records an objection to something that has happened anyway; None if it
        need not be recorded.

        Raises the objection if it cannot be accepted even as history, which is the default.
        """
        raise objection

    @classmethod
    def stream_of(cls, identity: str) -> str:
        return f"{cls.category}-{identity}"

    @classmethod
    def stream_for(cls, message: Command | Query) -> str:
        """The stream of the aggregate that a command or a query names."""
        return cls.stream_of(getattr(message, cls.identity))


def restore(cls: type[A], snapshot: Snapshot | None, later: Iterable[Recorded]) -> A:
    """Restore an aggregate from its snapshot and the events after it."""
    aggregate = cls() if snapshot is None else msgspec.json.decode(snapshot.state, type=cls)
    for recorded in later:
        aggregate.evolve(recorded.event, recorded.occurred_at)
    return aggregate


def snapshot_of(aggregate: Aggregate, version: int, last: int) -> Snapshot | None:
    """A snapshot, or None if none is due; `last` is the version of the stored one (0: none)."""
    state = msgspec.json.encode(aggregate).decode()
    if len(state) >= SNAPSHOT_ALWAYS_BELOW and version - last < SNAPSHOT_EVERY:
        return None
    return Snapshot(state, version, type(aggregate).shape)
