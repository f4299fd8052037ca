"""Carries out the control commands in the store that holds the subscription's cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.subscriptions.subscription import Controls, Store, Subscription
from cqrs_app.platform.runtime.events import (
    ParkedEventSkipped,
    ParkedEventsRetried,
    ProjectionPaused,
    ProjectionResumed,
)


class _StoreControl(Subscription):
    """One per store. Pausing and releasing commit together with this subscription's own cursor, so
    that each takes effect once."""

    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (
        ProjectionPaused,
        ProjectionResumed,
        ParkedEventsRetried,
        ParkedEventSkipped,
    )

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._names = {each.name for each in subscriptions if each.store == self.store}

    def attach(self, control: Controls) -> None:
        self._control = control

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        control = self._control
        for recorded in batch:
            match recorded.event:
                case ProjectionPaused(projection=name) if name in self._names:
                    control.pause(connection, name)
                case ProjectionResumed(projection=name) if name in self._names:
                    control.resume(connection, name)
                case ParkedEventsRetried(projection=name, stream=stream) if name in self._names:
                    control.release(connection, name, stream)
                case ParkedEventSkipped(projection=name, stream=stream) if name in self._names:
                    control.skip(connection, name, stream)


class ReadStoreControl(_StoreControl):
    name: ClassVar[str] = "projection_control"
    store: ClassVar[Store] = "read"


class WriteStoreControl(_StoreControl):
    name: ClassVar[str] = "subscription_control"
    store: ClassVar[Store] = "write"
