"""What operators can do with a subscription: pause, resume, retry parked events, skip one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import EventCodec
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.subscriptions.cursors import Cursors, cursors_in
from cqrs_app.kernel.subscriptions.parking import Parking, describe, parking_in, taker
from cqrs_app.kernel.subscriptions.subscription import Subscription


class Control:
    """Each method runs in the caller's transaction, on the store that holds the cursor."""

    def __init__(
        self,
        subscriptions: Mapping[str, Subscription],
        codec: EventCodec,
        store: EventStore,
        vault: Vault,
    ) -> None:
        self._subscriptions = subscriptions
        self._codec = codec
        self._store = store
        self._vault = vault

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

    def _cursors(self, name: str) -> Cursors:
        return cursors_in(self._subscriptions[name].store)

    def _parking(self, name: str) -> Parking:
        return parking_in(self._subscriptions[name].store)
