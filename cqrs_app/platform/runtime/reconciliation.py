"""Reconciliation of read models: its query, and the task that starts it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cqrs_app import PROJECT
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.reconciliation.reconciler import Reconciler
from cqrs_app.kernel.reconciliation.records import Reconciliation, records
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.runtime.commands import SEE_SYSTEM

KEY = "all"


@query(label="Reconciliation", permission=SEE_SYSTEM)
class ReconciliationList(Query):
    """What the last comparison of each read model with its digests and its events has found."""


def reconciliation_list(
    question: ReconciliationList, connection: Connection
) -> tuple[Reconciliation, ...]:
    return tuple(records(connection).values())


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every so many hours, 0 for never, and only between these times of day in the shop's time
    zone. The second may be on the next day; with twice the same it is any time."""

    hours: float
    start: time
    end: time
    zone: ZoneInfo

    def before(self, now: datetime) -> datetime | None:
        """What was last compared before this is due now; None if nothing is."""
        if not self.hours or not self._includes(now.astimezone(self.zone).time()):
            return None
        return now - timedelta(hours=self.hours)

    def _includes(self, at: time) -> bool:
        if self.start < self.end:
            return self.start <= at < self.end
        return self.start == self.end or at >= self.start or at < self.end


class Reconcile(BackgroundTask):
    """Starts `flask reconcile --due` in a separate process when something is due: it takes minutes,
    and a worker would delay other work. The only key is KEY."""

    name: ClassVar[str] = "reconciliation"
    sends_commands: ClassVar[bool] = False

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._process: subprocess.Popen[bytes] | None = None

    def due(self, kernel: Kernel) -> list[str]:
        if self._process is not None and self._process.poll() is None:
            return []
        return [KEY] if due_names(kernel.reconciler, self._schedule, kernel.clock()) else []

    def work(self, kernel: Kernel, key: str) -> bool:
        if self._process is None or self._process.poll() is not None:
            flask = (sys.executable, "-m", "flask", "--app", str(PROJECT / "app"))
            self._process = subprocess.Popen(
                (*flask, "reconcile", "--due", "--quiet"), stdin=subprocess.DEVNULL
            )
        return False


def due_names(reconciler: Reconciler, schedule: Schedule, now: datetime) -> list[str]:
    """The projections that are to be compared or repaired now."""
    return reconciler.due(schedule.before(now))
