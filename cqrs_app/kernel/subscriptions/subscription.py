"""What follows the log: a name, the events it wants, and what it does with a batch of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event

Store = Literal["read", "write"]
STORES: tuple[Store, ...] = ("read", "write")


class Overtaken(Exception):
    """Somebody else wrote first what this transaction builds on; it is undone and tried again."""


class Controls(Protocol):
    """What may be done with the subscriptions of the same store: see control.py."""

    def pause(self, connection: Connection, name: str) -> None: ...
    def resume(self, connection: Connection, name: str) -> None: ...
    def release(self, connection: Connection, name: str, stream: str) -> int: ...
    def skip(self, connection: Connection, name: str, stream: str) -> int: ...


class Subscription(ABC):
    """Base of everything that follows the log, each event once in effect and in the log's order.

    The cursor is kept in `store`, beside the rows that `take` writes, and moves in the same
    transaction: read models in the read store, effects that no replay may repeat in the write
    store. Work that leaves the database belongs in a BackgroundTask, on rows written here.
    """

    name: ClassVar[str]
    """Unique among all subscriptions."""
    version: ClassVar[int] = 1
    """Counted up when rows of the earlier version cannot be used; it then stops and says so."""
    store: ClassVar[Store] = "write"
    events: ClassVar[tuple[type[Event], ...] | None] = None
    """The types it wants; None for all."""
    appends: ClassVar[tuple[type[Event], ...]] = ()
    """The types that `take` may append to the log: whoever follows those is woken behind it."""

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are given to `take`."""
        return self.events is None or any(each.__name__ == event_type for each in self.events)

    def attach(self, control: Controls) -> None:  # noqa: B027 - few control others
        """Called once, by the runner that carries it out; for what controls other subscriptions."""

    @abstractmethod
    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        """Take in events, in order, with all writes on this connection.

        What it raises undoes the batch. Its events are then taken in one by one, and the one that
        raises is parked: see parking.py. Overtaken undoes it too, and it is tried again.
        """
