"""What operators can do with a subscription: pause, resume, retry parked events, skip one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, Engine

from cqrs_app.kernel.events.recorded import EventCodec, UnknownEvent, UnreadableEvent
from cqrs_app.kernel.privacy.personal import MASK, personal_texts, without_texts
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.base import APPENDED
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.cursors import Cursors, cursors_in
from cqrs_app.kernel.subscriptions.parking import (
    DATABASE_TROUBLE,
    Parking,
    describe,
    parking_in,
    taker,
)
from cqrs_app.kernel.subscriptions.rehearsal import (
    FieldChange,
    Rehearsal,
    RowChange,
    merged,
)
from cqrs_app.kernel.subscriptions.subscription import Overtaken, Store, Subscription


class Control:
    """Each method runs in the caller's transaction, on the store that holds the cursor."""

    def __init__(
        self,
        subscriptions: Mapping[str, Subscription],
        codec: EventCodec,
        store: EventStore,
        vault: Vault,
        engines: Mapping[Store, Engine],
    ) -> None:
        self._subscriptions = subscriptions
        self._codec = codec
        self._store = store
        self._vault = vault
        self._engines = engines

    def pause(self, connection: Connection, name: str) -> None:
        """Process no events until it is resumed."""
        self._cursors(name).set_state(connection, name, "paused")

    def resume(self, connection: Connection, name: str) -> None:
        """Continue from the cursor's position, or from the end of a log that is shorter."""
        self._cursors(name).accept(connection, name, self._store.head())

    def release(self, connection: Connection, name: str, stream: str) -> int:
        """Process a stream's parked events again; returns how many succeeded."""
        # Locked until the caller commits: no event is parked behind a stream that is being
        # released.
        self._cursors(name).lock(connection, name)
        # A person may have been erased since. A cached key must not bring their values back.
        self._vault.forget()
        parking = self._parking(name)
        events = self._store.at_positions(parking.positions_of(connection, name, stream))
        take = taker(self._subscriptions[name], self._codec)
        self._cursors(name).repaired(connection, name)
        return parking.release(connection, name, events, take, partial(describe, self._codec))

    def skip(self, connection: Connection, name: str, stream: str) -> int:
        """Leave out the first of a stream's parked events and release the others."""
        first = self._parking(name).positions_of(connection, name, stream)[:1]
        self._parking(name).forget(connection, name, first)
        return self.release(connection, name, stream)

    def release_cause(self, connection: Connection, store: Store, cause: str, limit: int) -> int:
        """Release the oldest streams whose first parked event failed for this cause; returns how
        many events succeeded."""
        found = parking_in(store).streams_of_cause(connection, cause, limit)
        return sum(self.release(connection, name, stream) for name, stream in found)

    def rehearse(self, store: Store, cause: str, limit: int) -> Iterator[Rehearsal]:
        """What `release_cause` would come to now, stream by stream."""
        with reader_of(self._engines[store]).connect() as connection:
            found = parking_in(store).streams_of_cause(connection, cause, limit)
        return (self._rehearsed(name, stream) for name, stream in found)

    def _rehearsed(self, name: str, stream: str) -> Rehearsal:
        """Found in a transaction that is rolled back. Takes no lock on the cursor."""
        subscription = self._subscriptions[name]
        changes: list[RowChange] = []
        processed, error = 0, ""
        with self._engines[subscription.store].connect() as connection:
            connection.execution_options(**{APPENDED: None})
            transaction = connection.begin()
            try:
                positions = self._parking(name).positions_of(connection, name, stream)
                events = self._store.at_positions(positions)
                personal = self._personal_texts(stream)
                for stored in events:
                    try:
                        batch = self._codec.decode_all([stored])
                        found = subscription.rehearse(batch, connection)
                        changes += (_masked(each, personal) for each in found)
                    except (*DATABASE_TROUBLE, Overtaken):
                        raise
                    except Exception as failure:  # noqa: BLE001 - it is what the caller asks for
                        error = describe(self._codec, stored, failure)["error"]
                        break
                    processed += 1
            finally:
                transaction.rollback()
        return Rehearsal(
            subscription=name,
            stream=stream,
            waiting=len(positions),
            processed=processed,
            error=error,
            changes=merged(changes),
        )

    def _personal_texts(self, stream: str) -> set[str]:
        """Those of the events of a stream that can be read."""
        found: set[str] = set()
        for stored in self._store.events_of(stream):
            with suppress(UnknownEvent, UnreadableEvent):
                found.update(personal_texts(self._codec.decode(stored).event))
        return found

    def _cursors(self, name: str) -> Cursors:
        return cursors_in(self._subscriptions[name].store)

    def _parking(self, name: str) -> Parking:
        return parking_in(self._subscriptions[name].store)


def _masked(change: RowChange, personal: Collection[str]) -> RowChange:
    """The change without these texts, and without what one of them would take the place of."""

    def masked(field: FieldChange) -> FieldChange:
        before = field.before and without_texts(field.before, personal)
        after = field.after and without_texts(field.after, personal)
        if before and after != field.after:
            before = MASK
        return FieldChange(field.name, before, after)

    key = without_texts(change.key, personal)
    return replace(change, key=key, fields=tuple(map(masked, change.fields)))
