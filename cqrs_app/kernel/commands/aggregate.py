"""Aggregates: plain state, one method per command, one `evolve`. Pure: no clock, no I/O.

A method takes its command and yields events or raises Refused; `evolve` is given each event as
soon as it is yielded, so the next line of the method already sees its effect.

A method may also *yield* a Refused: an objection. Live it stands, as if raised. For history, which
happened whatever the rules of today say, the aggregate may put an event of its own in its place
(`flag`), and the method goes on. And it may yield claims of values that only one stream may hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

import msgspec

from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded, Snapshot
from cqrs_app.kernel.messages.messages import Command, Event, Query

A = TypeVar("A", bound="Aggregate")


@dataclass(frozen=True, slots=True)
class Claim:
    """The stream is to hold this value of a kind from now on, and no other stream beside it.

    A stream holds one value of a kind: a new claim replaces the one before, and an empty value
    gives it up. `taken` is what the command is refused with when another stream holds the value.
    """

    kind: str
    value: str
    taken: Refused


Decision = Iterator[Event | Refused | Claim]
"""What a method yields."""

SNAPSHOT_ALWAYS_BELOW = 8_192
"""Characters of a snapshot that still ride along with every command."""

SNAPSHOT_EVERY = 50
"""Events between two snapshots of a larger state."""


class Aggregate:
    """Base of every aggregate; subclasses are dataclasses whose fields all have defaults.

    The state holds no personal data: snapshots are stored as they are.
    """

    category: ClassVar[str]
    """The first part of its streams' names."""
    identity: ClassVar[str]
    """The field of its commands and queries that names the one meant."""
    shape: ClassVar[int] = 1
    """Counted up when the state's fields change: older snapshots are then ignored."""

    @property
    def belongs_to(self) -> str:
        """The stream of the person this one belongs to: erasing that person makes the personal
        values said here unreadable too. Empty: nobody but itself."""
        return ""

    def evolve(self, event: Event, at: datetime) -> None:
        """Take in one event that happened at `at` (UTC)."""
        raise TypeError(f"{type(self).__name__} does not evolve")

    def flag(self, objection: Refused, command: Command) -> Event | None:
        """The event that stands for an objection to something that happened all the same; None
        where that needs no mark in the log.

        Raises the objection where even history cannot be let in; unless overridden, always.
        """
        raise objection

    @classmethod
    def stream_of(cls, identity: str) -> str:
        return f"{cls.category}-{identity}"

    @classmethod
    def stream_for(cls, message: Command | Query) -> str:
        """The stream of the one that a command or a query names."""
        return cls.stream_of(getattr(message, cls.identity))


def restore(cls: type[A], snapshot: Snapshot | None, later: Iterable[Recorded]) -> A:
    """The aggregate from its snapshot and the events after it."""
    aggregate = cls() if snapshot is None else msgspec.json.decode(snapshot.state, type=cls)
    for recorded in later:
        aggregate.evolve(recorded.event, recorded.occurred_at)
    return aggregate


def snapshot_of(aggregate: Aggregate, version: int, last: int) -> Snapshot | None:
    """A snapshot where one is due; `last` is the version of the stored one (0: none)."""
    state = msgspec.json.encode(aggregate).decode()
    if len(state) >= SNAPSHOT_ALWAYS_BELOW and version - last < SNAPSHOT_EVERY:
        return None
    return Snapshot(state, version, type(aggregate).shape)
