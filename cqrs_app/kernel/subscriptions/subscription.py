"""What follows the log: a name, the events wanted, and what is done with a batch of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, Protocol

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.subscriptions.rehearsal import (
    Rehearsal,
    RowChange,
    changes_of,
    counted_writes,
)

Store = Literal["read", "write"]
STORES: tuple[Store, ...] = ("read", "write")


class Overtaken(Exception):
    """Another writer has changed what this transaction builds on. It is rolled back and tried
    again."""


GenerationOperation = Literal["begin", "compare", "swap", "back", "drop"]


class Controls(Protocol):
    """Operations on the subscriptions of the same store, and on second generations of projections:
    see control.py and projections/generation_control.py."""

    def pause(self, connection: Connection, name: str) -> None: ...
    def resume(self, connection: Connection, name: str) -> None: ...
    def release(self, connection: Connection, name: str, stream: str) -> int: ...
    def skip(self, connection: Connection, name: str, stream: str) -> int: ...
    def objection(self, operation: GenerationOperation, name: str, accepted: int) -> str | None: ...
    def begin_beside(self, connection: Connection, name: str) -> None: ...
    def compare(self, connection: Connection, name: str) -> None: ...
    def swap(self, connection: Connection, name: str, accepted: int) -> None: ...
    def back(self, connection: Connection, name: str) -> None: ...
    def drop(self, connection: Connection, name: str) -> None: ...
    def release_cause(
        self, connection: Connection, store: Store, cause: str, limit: int
    ) -> int: ...
    def rehearse(self, store: Store, cause: str, limit: int) -> Iterator[Rehearsal]: ...


class Subscription(ABC):
    """Base of everything that follows the log. Each event takes effect once, in the log's order.

    The cursor is stored in `store`, beside the rows that `take` writes, and moves in the same
    transaction. Read models belong in the read store, effects that no replay may repeat in the
    write store. Work outside the database belongs in a BackgroundTask on rows written here.
    """

    name: ClassVar[str]
    """Unique among all subscriptions."""
    version: ClassVar[int] = 1
    """Increment it when rows of an earlier version cannot be used. The subscription then stops with
    an error."""
    by_day: ClassVar[bool] = False
    """Whether its rows are counted by business day. If the time zone changes, the subscription then
    stops with an error."""
    accepts_restored_log: ClassVar[bool] = False
    """Whether it continues by itself after the write store was restored, because nothing that it
    did for lost events needs to be corrected. Others then stop with an error."""
    store: ClassVar[Store] = "write"
    events: ClassVar[tuple[type[Event], ...] | None] = None
    """The event types it wants; None for all."""
    once: ClassVar[frozenset[str]] = frozenset()
    """The event types that ask for something to be done once. Where the cursor was created later,
    such as in a read store that is filled anew, they are left out."""
    appends: ClassVar[tuple[type[Event], ...]] = ()
    """The event types that `take` may append to the log. Their subscribers are woken afterwards."""

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are passed to `take`."""
        return self.events is None or any(each.__name__ == event_type for each in self.events)

    def attach(self, control: Controls) -> None:  # noqa: B027 - few control others
        """Called once at the start, for subscriptions that control others."""

    @abstractmethod
    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        """Process events, in order, with all writes on this connection.

        An exception undoes the batch. Its events are then processed one by one, and the one that
        raises is parked: see parking.py. Overtaken undoes the batch too, which is then tried again.
        """

    def rehearse(self, batch: Sequence[Recorded], connection: Connection) -> Sequence[RowChange]:
        """Like `take`, on a connection that the caller rolls back; returns what has changed."""
        with counted_writes(connection) as counts:
            self.take(batch, connection)
        return changes_of(counts)
