"""The random secrets that messages are signed with, numbered per webhook, and stored sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from cqrs_app.kernel.privacy.vault import CREDENTIAL, Vault
from cqrs_app.kernel.signing import new_secret
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.platform.webhooks.tables import webhook_secrets

_COLUMNS = webhook_secrets.c


class Keyring:
    """`vault` is None where the console is only described, and nothing is stored."""

    def __init__(self, vault: Vault | None) -> None:
        self._given = vault

    @property
    def _vault(self) -> Vault:
        if self._given is None:
            raise RuntimeError("A registry without a vault can keep no secrets.")
        return self._given

    def keep(
        self, connection: Connection, webhook_id: str, numbers: Sequence[int], now: datetime
    ) -> list[str]:
        """The secrets with these numbers, in this order. Missing ones are created, all others
        deleted."""
        held = self._held(connection, webhook_id)
        if held.keys() != set(numbers):
            for number in numbers:
                self.make(connection, webhook_id, number, now)
            forget(connection, webhook_id, but=numbers)
            held = self._held(connection, webhook_id)
        return [held[number] for number in numbers]

    def make(self, connection: Connection, webhook_id: str, number: int, now: datetime) -> None:
        """Create the secret with this number, unless it exists: the first writer wins."""
        secret = self._vault.seal_credential(new_secret(), webhook_id)
        row = insert_into(connection, webhook_secrets).values(
            webhook_id=webhook_id, number=number, secret=secret, created_at=now
        )
        connection.execute(row.on_conflict_do_nothing())

    def newest(self, connection: Connection, webhook_id: str) -> str | None:
        """The secret that was made last."""
        held = self._held(connection, webhook_id)
        return held[max(held)] if held else None

    def seal_earlier(self, connection: Connection) -> int:
        """Seal the secrets that an earlier release stored in clear; returns how many."""
        clear = select(webhook_secrets).where(~_COLUMNS.secret.startswith(CREDENTIAL))
        rows = connection.execute(clear).all()
        for row in rows:
            mine = (_COLUMNS.webhook_id == row.webhook_id, _COLUMNS.number == row.number)
            secret = self._vault.seal_credential(row.secret, row.webhook_id)
            connection.execute(update(webhook_secrets).where(*mine).values(secret=secret))
        return len(rows)

    def _held(self, connection: Connection, webhook_id: str) -> dict[int, str]:
        found = select(_COLUMNS.number, _COLUMNS.secret).where(_COLUMNS.webhook_id == webhook_id)
        return {
            row.number: self._vault.open_credential(row.secret, webhook_id)
            for row in connection.execute(found)
        }


def forget(connection: Connection, webhook_id: str, but: Sequence[int] = ()) -> None:
    """Delete the secrets of a webhook, except those with these numbers."""
    others = (_COLUMNS.webhook_id == webhook_id, _COLUMNS.number.not_in(but))
    connection.execute(delete(webhook_secrets).where(*others))
