"""The secrets that messages are signed with, made at random when first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select

from cqrs_app.kernel.signing import new_secret
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.webhooks.tables import webhook_secrets

_COLUMNS = webhook_secrets.c


class Keyring:
    """Secrets by webhook and number; the number counts the webhook's rotations."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def keep(self, webhook_id: str, numbers: Sequence[int]) -> list[str]:
        """The secrets with these numbers, in this order; missing ones are made, all others
        forgotten."""
        with self._reader.connect() as connection:
            held = _held(connection, webhook_id)
        if held.keys() != set(numbers):
            with self._engine.begin() as connection:
                self._make(connection, webhook_id, numbers)
                others = (_COLUMNS.webhook_id == webhook_id) & _COLUMNS.number.not_in(numbers)
                connection.execute(delete(webhook_secrets).where(others))
                held = _held(connection, webhook_id)
        return [held[number] for number in numbers]

    def _make(self, connection: Connection, webhook_id: str, numbers: Sequence[int]) -> None:
        for number in numbers:
            row = insert_into(connection, webhook_secrets).values(
                webhook_id=webhook_id,
                number=number,
                secret=new_secret(),
                created_at=self._clock(),
            )
            # Whoever is first decides; nobody signs with a secret that was not kept.
            connection.execute(row.on_conflict_do_nothing())


def _held(connection: Connection, webhook_id: str) -> dict[int, str]:
    found = select(_COLUMNS.number, _COLUMNS.secret).where(_COLUMNS.webhook_id == webhook_id)
    return {row.number: row.secret for row in connection.execute(found)}
