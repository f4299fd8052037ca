"""Which webhooks have something to do now."""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.webhooks.cursors import Cursor, cursor_of
from cqrs_app.platform.webhooks.read_models import webhooks
from cqrs_app.platform.webhooks.tables import webhook_cursors
from cqrs_app.platform.webhooks.webhook import Webhook

logger = logging.getLogger("countersign.webhooks")


def due(kernel: Kernel) -> list[str]:
    """The ids of webhooks that nobody delivers for at this moment and that have something new, or
    an attempt whose time has come. Needs the write store; the read store only for new ones."""
    with reader_of(kernel.engines.write).connect() as connection:
        cursors = [cursor_of(row) for row in connection.execute(select(webhook_cursors))]
    started = {cursor.webhook_id for cursor in cursors}
    found = [each for each in _listed(kernel) if each not in started]
    if cursors:
        streams = {Webhook.stream_of(each.webhook_id): each for each in cursors}
        versions, head = kernel.store.versions_of(streams), kernel.store.head()
        found += [
            cursor.webhook_id
            for stream, cursor in streams.items()
            if _is_due(kernel, cursor, versions.get(stream, 0), head)
        ]
    return sorted(found)


def _is_due(kernel: Kernel, cursor: Cursor, version: int, head: int) -> bool:
    now = kernel.clock()
    if cursor.taken_until is not None and cursor.taken_until > now:
        return False
    if cursor.acted_version < version:
        return True
    waits = cursor.next_attempt_at is not None and cursor.next_attempt_at > now
    return cursor.state == "running" and cursor.position < head and not waits


def _listed(kernel: Kernel) -> list[str]:
    found = select(webhooks.c.webhook_id).where(webhooks.c.removed.is_(False))
    try:
        with reader_of(kernel.engines.query).connect() as connection:
            return list(connection.execute(found).scalars())
    except SQLAlchemyError as error:
        logger.warning("The list of webhooks cannot be read (%s); known ones go on", error)
        return []
