"""Follows the log for fulfilment, and does what is due. Its place in the log moves in the
transaction in which what it read is taken in."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from cqrs_app.areas.fulfilment.dispatch import AT_ONCE, Dispatch
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.store import FulfilmentStore, in_transaction
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.tables import fulfilment_cursor
from cqrs_app.areas.fulfilment.types import Policy
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.subscriptions.doorbell import QUEUE
from cqrs_app.kernel.subscriptions.wake_ups import Duty

NAME = "orders"
"""There is one follower; its wake-ups go by this name."""

FOLLOWING = Duty(
    what="order on its way",
    queue=QUEUE,
    job="cqrs_app.processes.jobs.follow_orders",
    worker="worker",
)
"""It talks to nobody outside, so the workers of the projections do it."""

CURSOR = "log"
_CURSOR = fulfilment_cursor.c


class Follower:
    """`actor` is who sends the commands; `enabled` off: the log is passed over, nothing begins."""

    def __init__(self, kernel: Kernel, actor: Actor, policy: Policy, *, enabled: bool) -> None:
        self._kernel = kernel
        self._enabled = enabled
        self._dispatch = Dispatch(kernel, actor)
        self._subscription = FulfilmentSubscription(
            kernel.store, kernel.registry.codec, kernel.clock, policy, enabled=enabled
        )
        self._types = {each.__name__ for each in FulfilmentSubscription.events}

    def due(self) -> list[str]:
        """The one name there is, if anything is to be done."""
        self._kernel.store.place()
        if self._kernel.store.follow(self._position(), 1):
            return [NAME]
        return [NAME] if self._enabled and self._has_work() else []

    def go_on(self, name: str = NAME) -> bool:
        """Take in a batch of the log and what is overdue, and dispatch commands; whether there is
        more to do at once.

        Safe to call from anywhere at any time. Raises NotAnswered, UnknownEvent where a newer
        release wrote an event, and SQLAlchemyError while a database is away: then another call
        begins at the same place.
        """
        late = self._enabled and self._dispatch.deadlines()
        read, changed = self._follow()
        dispatched = self._enabled and self._dispatch.commands()
        if late or changed or dispatched:
            # Their events come by no command bus, which would wake the projections.
            self._kernel.doorbell.ring([FulfilmentMoved.__name__])
        return read == AT_ONCE or (dispatched and self._has_work())

    def _follow(self) -> tuple[int, bool]:
        """How many events were read, and whether any process changed."""
        kernel = self._kernel
        kernel.store.place()
        after = self._position()
        found = kernel.store.follow(after, AT_ONCE)
        if not found:
            return 0, False
        batch = kernel.registry.codec.decode_all(e for e in found if e.type in self._types)

        def take(connection: Connection) -> bool:
            # Where somebody else was first, nothing is taken in.
            first = _move(connection, after, found[-1].position or after)
            return first and self._subscription.take(batch, connection)

        return len(found), in_transaction(kernel.engines.write, take)

    def _position(self) -> int:
        """The last event of the log that was taken in."""
        found = select(_CURSOR.position).where(_CURSOR.name == CURSOR)
        with reader_of(self._kernel.engines.write).connect() as connection:
            return connection.execute(found).scalar() or 0

    def _has_work(self) -> bool:
        kernel = self._kernel
        with reader_of(kernel.engines.write).connect() as connection:
            store = FulfilmentStore(connection, kernel.store, kernel.clock())
            return bool(store.outgoing(1) or store.overdue(1))


def _move(connection: Connection, after: int, until: int) -> bool:
    row = insert_into(connection, fulfilment_cursor).values(name=CURSOR, position=0)
    connection.execute(row.on_conflict_do_nothing())
    here = (_CURSOR.name == CURSOR) & (_CURSOR.position == after)
    moved = update(fulfilment_cursor).where(here).values(position=until)
    return connection.execute(moved).rowcount == 1
