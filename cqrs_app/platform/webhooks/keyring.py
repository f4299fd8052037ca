"""The random secrets that messages are signed with, numbered per webhook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from cqrs_app.kernel.signing import new_secret
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.platform.webhooks.tables import webhook_secrets

_COLUMNS = webhook_secrets.c


def keep(
    connection: Connection, webhook_id: str, numbers: Sequence[int], now: datetime
) -> list[str]:
    """The secrets with these numbers, in this order. Missing ones are created, all others
    deleted."""
    held = _held(connection, webhook_id)
    if held.keys() != set(numbers):
        for number in numbers:
            make(connection, webhook_id, number, now)
        forget(connection, webhook_id, but=numbers)
        held = _held(connection, webhook_id)
    return [held[number] for number in numbers]


def make(connection: Connection, webhook_id: str, number: int, now: datetime) -> None:
    """Create the secret with this number, unless it exists: the first writer wins."""
    row = insert_into(connection, webhook_secrets).values(
        webhook_id=webhook_id, number=number, secret=new_secret(), created_at=now
    )
    connection.execute(row.on_conflict_do_nothing())


def forget(connection: Connection, webhook_id: str, but: Sequence[int] = ()) -> None:
    """Delete the secrets of a webhook, except those with these numbers."""
    others = (_COLUMNS.webhook_id == webhook_id, _COLUMNS.number.not_in(but))
    connection.execute(delete(webhook_secrets).where(*others))


def _held(connection: Connection, webhook_id: str) -> dict[int, str]:
    found = select(_COLUMNS.number, _COLUMNS.secret).where(_COLUMNS.webhook_id == webhook_id)
    return {row.number: row.secret for row in connection.execute(found)}
