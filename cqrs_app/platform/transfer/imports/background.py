"""What the process does that imports an uploaded file; `task.py` starts it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import BusError, Unavailable
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.importer import Imported, Progress, import_file
from cqrs_app.platform.transfer.imports.mapping import BadMapping, profile_from, stored_mapping
from cqrs_app.platform.transfer.imports.priority import lower_priority
from cqrs_app.platform.transfer.imports.profiles import PROFILES
from cqrs_app.platform.transfer.imports.rehearsal import Rehearsed, rehearse_file
from cqrs_app.platform.transfer.imports.scratch import scratch
from cqrs_app.platform.transfer.imports.set_aside import as_csv
from cqrs_app.platform.transfer.imports.source import LIMITS, BadFile
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.receiving import UPLOAD, Files
from cqrs_app.platform.transfer.uploads.work import Work

REPORT_SECONDS = 1.0
DATABASE_DOWN = (*DATABASE_TROUBLE, Unavailable)
"""A database does not answer. That is no fault of the file, and temporary."""
WAIT_SECONDS = 5.0
MAX_WAITS = 120
"""Ten minutes. Then the attempt ends, since something else may be wrong."""

NOT_SHOWN = (
    "Everything was taken in, but the read models do not show every row of it. Look at the System "
    "page for parked events, then send the file again: what is in stays as it is."
)
T = TypeVar("T")
logger = logging.getLogger("countersign")


class Superseded(Exception):
    """Another process has taken over this import. Both do the same, so nothing is lost."""


def patiently(action: Callable[[], T]) -> T:
    """Call `action`, and repeat it while a database is down, which uses up no attempt.

    Raises an exception of DATABASE_DOWN if that lasts too long.
    """
    for _ in range(MAX_WAITS):
        try:
            return action()
        except DATABASE_DOWN as error:
            logger.warning("an import waits, because a database does not answer: %s", error)
            time.sleep(WAIT_SECONDS)
    return action()


def carry_out(kernel: Kernel, task: StartImport, attempt: int) -> None:
    """Import the file and record the result.

    Raises Superseded, and an exception of DATABASE_DOWN while a database is down.
    """
    work = Work(kernel.engines.write, kernel.clock)
    reported_at = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal reported_at
        if done == total or time.monotonic() - reported_at >= REPORT_SECONDS:
            reported_at = time.monotonic()
            if not work.report(task.import_id, attempt, done, total):
                raise Superseded

    with scratch() as folder:
        # Use the name of the file, since sentences about a bad file contain it.
        path = folder / task.file_name
        try:
            with path.open("wb") as file:
                file.writelines(Files(kernel.engines.write).chunks(task.import_id, UPLOAD))
            result = _carried_out(kernel, task, path, progress)
        except (BadFile, BadMapping) as error:
            work.fail(task.import_id, attempt, str(error).replace(str(path), path.name))
        except (SQLAlchemyError, Unavailable, Superseded):
            raise
        except Exception as error:  # noqa: BLE001 - it is shown on the page, and logged there
            work.fail(task.import_id, attempt, _sentence(error))
        else:
            finish(work, task.import_id, attempt, result)


def profile_for(task: StartImport) -> Profile:
    """How the file is read. Raises BadMapping."""
    if task.mapping:
        return profile_from(stored_mapping(task.mapping), task.profile)
    if task.profile not in PROFILES:
        raise BadMapping(f"There is no profile {task.profile}. Nothing was imported.")
    return PROFILES[task.profile]


def _carried_out(
    kernel: Kernel, task: StartImport, path: Path, progress: Progress
) -> Imported | Rehearsed:
    run = rehearse_file if task.rehearsal else import_file
    with lower_priority():
        return run(kernel, profile_for(task), path, progress)


def finish(work: Work, import_id: str, attempt: int, result: Imported | Rehearsed) -> None:
    """Record the result."""
    figures = result.figures if isinstance(result, Rehearsed) else result.report
    csv = as_csv(result.headers, result.set_aside, LIMITS.get().set_aside_bytes)
    work.finish(
        import_id,
        attempt,
        report=json.dumps(figures.as_json()),
        rows=len(result.set_aside),
        set_aside=b"".join(csv),
        fault="" if isinstance(result, Rehearsed) or result.report.adds_up else NOT_SHOWN,
    )


def _sentence(error: Exception) -> str:
    kept = "What was taken in until then is kept; send the file again to go on."
    if isinstance(error, BusError):
        return f"{error.sentence} {kept}"
    number = new_id()
    logger.error("%s: an import failed", number, exc_info=error)
    return (
        f"Something went wrong in the console. {kept} If it happens again, give the number "
        f"{number} to whoever runs the console."
    )
