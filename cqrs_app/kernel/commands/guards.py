"""Guards: of several commands that look at the same thing before they run, one commits at a time.

A guard is taken before a command looks, and checked in the transaction of its events. If another
command that had the same guard committed in between, it raises VersionConflict, upon which the
command looks and is decided again.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from cqrs_app.kernel.errors import VersionConflict
from cqrs_app.kernel.privacy.vault import Step, Vault
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import claims


def guarding(store: EventStore, vault: Vault, kind: str, stream: str, command_id: str) -> Step:
    """Take the guard `kind` of a stream now; the step checks it and leaves it changed.

    It is a claim of the stream, whose value is the last command that had the guard.
    """
    here = (claims.c.kind == kind, claims.c.stream == stream)
    with store.reader.connect() as connection:
        found = connection.execute(select(claims.c.hash).where(*here)).scalar()
    mine = vault.fingerprint(kind, f"{stream} {command_id}")

    def step(connection: Connection) -> None:
        if found is None:
            row = insert_into(connection, claims).values(kind=kind, stream=stream, hash=mine)
            taken = row.on_conflict_do_nothing().returning(claims.c.hash)
        else:
            same = update(claims).where(*here, claims.c.hash == found)
            taken = same.values(hash=mine).returning(claims.c.hash)
        if connection.execute(taken).scalar() is None:
            raise VersionConflict(stream, 0, None)

    return step
