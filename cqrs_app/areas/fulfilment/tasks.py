"""Dispatching what fulfilment decided, as a background task."""

from __future__ import annotations

from typing import ClassVar

from cqrs_app.areas.fulfilment.dispatch import Dispatch
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.store import FulfilmentStore
from cqrs_app.kernel import BackgroundTask
from cqrs_app.kernel.effects import Actor, Kernel, reader_of

KEY = "orders"
"""The only key there is."""


class DispatchCommands(BackgroundTask):
    """Carries out the commands in the outbox and processes deadlines; `actor` sends the commands.
    It calls no outside system, so the workers that advance subscriptions do it.
    """

    name: ClassVar[str] = "fulfilment"

    def __init__(self, actor: Actor, *, enabled: bool) -> None:
        self._actor = actor
        self._enabled = enabled

    def due(self, kernel: Kernel) -> list[str]:
        return [KEY] if self._enabled and _has_work(kernel) else []

    def work(self, kernel: Kernel, key: str) -> bool:
        """Raises NotAnswered, and SQLAlchemyError while a database is away; the next call continues
        there.
        """
        if not self._enabled:
            return False
        dispatch = Dispatch(kernel, self._actor)
        late, dispatched = dispatch.deadlines(), dispatch.commands()
        if late or dispatched:
            # These events come through no command bus, which would wake their subscribers.
            kernel.wake_ups.committed([FulfilmentMoved.__name__])
        return dispatched and _has_work(kernel)


def _has_work(kernel: Kernel) -> bool:
    with reader_of(kernel.engines.write).connect() as connection:
        store = FulfilmentStore(connection, kernel.store, kernel.clock())
        return bool(store.outgoing(1) or store.overdue(1))
