"""Imports uploaded files in separate processes.

An import takes minutes and needs memory for its whole file. In a worker it would delay other work.
A separate process runs beside the workers, returns its memory at the end, and can die without
affecting them. A wake-up or the sweep starts it, and it extends a lease while it is alive. Imports
are idempotent, so the next process starts from the beginning.

Whatever reads files is not imported here, because every process of the console loads this module.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from datetime import timedelta
from typing import ClassVar

from sqlalchemy.exc import SQLAlchemyError

from cqrs_app import PROJECT
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.imports.scratch import remove_abandoned
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.transfer.uploads.work import LEASE, Work

PAUSE_SECONDS = LEASE.length.total_seconds() / 6
STARTING = timedelta(minutes=3)
"""How long a worker extends the lease for its process, which then does so itself: on a busy machine
it takes longer to start than a lease is long."""
logger = logging.getLogger("countersign")


class ImportUploads(BackgroundTask):
    """Imports uploaded files, one at a time. The key is the id of an import."""

    name: ClassVar[str] = "imports"

    def due(self, kernel: Kernel) -> list[str]:
        work = Work(kernel.engines.write, kernel.clock)
        work.give_up()
        import_id = work.due()
        return [import_id] if import_id else []

    def work(self, kernel: Kernel, key: str) -> bool:
        start(kernel, key)
        return False

    def housekeep(self, kernel: Kernel) -> None:
        """Delete files that nobody started to import, and what killed imports left on this host."""
        Files(kernel.engines.write, kernel.clock).forget_strays()
        remove_abandoned()


def start(kernel: Kernel, import_id: str) -> None:
    """Start the import in a separate process if it is free; returns at once."""
    work = Work(kernel.engines.write, kernel.clock)
    attempt = work.take(import_id)
    if attempt is not None:
        threading.Thread(target=_supervise, args=(work, import_id, attempt), daemon=True).start()


def _supervise(work: Work, import_id: str, attempt: int) -> None:
    """Run the process and wait for its end. If it fails, release its lease so that others need not
    wait."""
    flask = (sys.executable, "-m", "flask", "--app", PROJECT / "app")
    command = (*flask, "run-import", import_id, str(attempt))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for _ in range(int(STARTING.total_seconds() / PAUSE_SECONDS)):
        if _ended_within(process, PAUSE_SECONDS):
            break
        try:
            work.extend(import_id, attempt)
        except SQLAlchemyError as error:
            logger.warning("the lease of the import %s was not extended: %s", import_id, error)
    if status := process.wait():
        logger.warning("the import %s ended with status %s", import_id, status)
        try:
            work.release(import_id, attempt)
        except SQLAlchemyError as error:
            logger.warning("its lease of the import %s has to run out: %s", import_id, error)


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
