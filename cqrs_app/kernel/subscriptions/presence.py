"""Which processes are alive, as they report it to the write store: works without Redis."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, select

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import processes

SWEEP = "sweep"
"""The kind of process that does overdue work. All other kinds are workers."""

BEAT_SECONDS = 3.0
SILENT_AFTER = timedelta(seconds=20)
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Process:
    """A worker or a sweep; `alive` if it was seen within SILENT_AFTER."""

    kind: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    doing: str
    alive: bool


class Presence:
    """One per process; `beat` may be called at any rate and writes at most every BEAT_SECONDS."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or utc_now
        self._host = socket.gethostname()
        self._started_at: datetime | None = None
        self._last = float("-inf")

    def beat(self, kind: str, doing: str = "") -> None:
        if time.monotonic() - self._last < BEAT_SECONDS:
            return
        self._last = time.monotonic()
        now = self._clock()
        self._started_at = self._started_at or now
        row = {"kind": kind, "host": self._host, "pid": os.getpid(), "doing": doing}
        times = {"started_at": self._started_at, "seen_at": now}
        insert = insert_into(self._engine, processes).values(
            process_id=self._id(kind), **row, **times
        )
        with self._engine.begin() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["process_id"], set_=row | times)
            )

    def leave(self, kind: str) -> None:
        """Called by a process that ends normally."""
        with self._engine.begin() as connection:
            connection.execute(delete(processes).where(processes.c.process_id == self._id(kind)))

    def _id(self, kind: str) -> str:
        return f"{kind}-{self._host}-{os.getpid()}"


def seen(connection: Connection, now: datetime) -> list[Process]:
    """Every process seen within the last hour, including silent ones."""
    columns = processes.c
    names = [columns[n] for n in ("kind", "host", "pid", "started_at", "seen_at", "doing")]
    found = select(*names).where(columns.seen_at > now - FORGOTTEN_AFTER)
    rows = connection.execute(found.order_by(columns.kind, columns.started_at)).all()
    return [Process(**row._mapping, alive=row.seen_at > now - SILENT_AFTER) for row in rows]
