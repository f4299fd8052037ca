"""Brings the deliveries up to date with the log: the rows and the cursor commit together."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.webhooks.subscription import NAME, WebhookSubscription
from cqrs_app.platform.webhooks.tables import webhook_cursor

BATCH = 500


def follow(kernel: Kernel, subscription: WebhookSubscription) -> None:
    """Take in all events there are."""
    kernel.store.place()
    while _step(kernel, subscription):
        pass


def _step(kernel: Kernel, subscription: WebhookSubscription) -> bool:
    with reader_of(kernel.engines.write).connect() as connection:
        after = position_of(connection)
    found = _known(kernel, kernel.store.follow(after, BATCH))
    if not found:
        return False
    batch = kernel.registry.codec.decode_all(e for e in found if e.type in subscription.types)
    with kernel.engines.write.begin() as connection:
        if _move(connection, after, found[-1]):
            subscription.take(batch, connection)
    return True


def _known(kernel: Kernel, found: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
    """Up to the first event whose type this release does not know: it may be one to send."""
    unknown = (n for n, each in enumerate(found) if each.type not in kernel.registry.events)
    return found[: next(unknown, len(found))]


def position_of(connection: Connection) -> int:
    """The last event of the log that deliveries were made from."""
    found = select(webhook_cursor.c.position).where(webhook_cursor.c.name == NAME)
    return connection.execute(found).scalar() or 0


def _move(connection: Connection, after: int, last: StoredEvent) -> bool:
    """Whether nobody else was first."""
    row = insert_into(connection, webhook_cursor).values(name=NAME, position=0)
    connection.execute(row.on_conflict_do_nothing())
    here = (webhook_cursor.c.name == NAME) & (webhook_cursor.c.position == after)
    moved = update(webhook_cursor).where(here).values(position=last.position)
    return connection.execute(moved).rowcount == 1
