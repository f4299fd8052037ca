"""Sends security events on, in the order of the log, until they are taken."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import msgspec
from sqlalchemy import delete, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.alerts.schedule import Turns
from cqrs_app.platform.audit.entries import AuditEntry, entry_of
from cqrs_app.platform.audit.ocsf import ocsf
from cqrs_app.platform.audit.sinks import Line, Sink
from cqrs_app.platform.audit.tables import audit_unsent
from cqrs_app.platform.webhooks.tasks import Deliveries

TURNS = Turns("audit_stream", timedelta(seconds=2))
AT_ONCE = 200
KEY = "all"


class SendSecurityEvents(BackgroundTask):
    """One process at a time sends the oldest. What a killed process sent may be sent again: events
    have an id (`metadata.uid`)."""

    name: ClassVar[str] = "audit_stream"
    # It waits for another system too.
    worker: ClassVar[str] = Deliveries.worker
    sends_commands: ClassVar[bool] = False

    def __init__(self, sink: Sink | None, console: str, release: str) -> None:
        self._sink = sink
        self._console = console
        self._release = release
        self.supervised = sink is not None

    def due(self, kernel: Kernel) -> list[str]:
        if self._sink is None or not _oldest(kernel, 1):
            return []
        return [KEY] if TURNS.is_due(kernel.engines.write, kernel.clock()) else []

    def work(self, kernel: Kernel, key: str) -> bool:
        with TURNS.taken(kernel) as turn:
            if turn is None or self._sink is None:
                return False
            positions = _oldest(kernel, AT_ONCE)
            while positions:
                turn.error = self._sink(self._lines(kernel, positions))
                if turn.error:
                    break
                gone = delete(audit_unsent).where(audit_unsent.c.position.in_(positions))
                with kernel.engines.write.begin() as connection:
                    connection.execute(gone)
                if len(positions) < AT_ONCE:
                    break
                positions = _oldest(kernel, AT_ONCE)
        return False

    def _lines(self, kernel: Kernel, positions: list[int]) -> list[Line]:
        recorded = kernel.registry.codec.decode_all(kernel.store.at_positions(positions))
        return [self._line(entry_of(each)) for each in recorded]

    def _line(self, entry: AuditEntry) -> Line:
        found = ocsf(entry, console=self._console, release=self._release)
        return Line(entry.event_id, entry.at, entry.success, msgspec.json.encode(found).decode())


def _oldest(kernel: Kernel, most: int) -> list[int]:
    found = select(audit_unsent.c.position).order_by(audit_unsent.c.position).limit(most)
    with reader_of(kernel.engines.write).connect() as connection:
        return list(connection.execute(found).scalars())
