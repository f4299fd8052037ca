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
from typing import ClassVar

from sqlalchemy.exc import SQLAlchemyError

from cqrs_app import PROJECT
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.transfer.uploads.work import Work

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
        """Delete the content of old files."""
        Files(kernel.engines.write, kernel.clock).forget_old()


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
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode:
        logger.warning("the import %s ended with status %s", import_id, ended.returncode)
        try:
            work.release(import_id, attempt)
        except SQLAlchemyError as error:
            logger.warning("its lease of the import %s has to run out: %s", import_id, error)
