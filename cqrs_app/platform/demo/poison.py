"""A subscription of the demo shop that cannot process one particular note, so that newcomers can
see what the console does about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import Connection

from cqrs_app.areas.orders.events import OrderNoteAdded
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.subscriptions.subscription import Subscription

NAME = "demo_notes"
POISON = "poison"
"""The note that it cannot process."""


class DemoNotes(Subscription):
    """Reads the notes of orders, and does nothing with them."""

    name: ClassVar[str] = NAME
    events: ClassVar[tuple[type[Event], ...] | None] = (OrderNoteAdded,)
    accepts_restored_log: ClassVar[bool] = True

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            note = recorded.event
            if isinstance(note, OrderNoteAdded) and note.note.strip().casefold() == POISON:
                raise ValueError("This note is poison. The guided shift says how to heal it.")
