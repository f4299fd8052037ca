"""`flask run-import`: the process that takes in one uploaded file, started by worker or sweep."""

from __future__ import annotations

import logging
import os
import threading
from functools import partial

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app import logs
from cqrs_app.platform.transfer.imports.background import Superseded, carry_out, patiently
from cqrs_app.platform.transfer.imports.source import LIMITS, Limits
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.transfer.uploads.work import LEASE, Work
from cqrs_app.services import kernel, services

logger = logging.getLogger("countersign")


@click.command("run-import", hidden=True)
@click.argument("import_id")
@click.argument("attempt", type=int)
@with_appcontext
def run_import(import_id: str, attempt: int) -> None:
    """Take in the file of one import, as the attempt of this number."""
    logs.configure(services.settings)
    LIMITS.set(Limits.of(services.settings))
    task = patiently(partial(Files(kernel.engines.write).task_of, import_id))
    if task is None:
        raise click.ClickException(f"There is no file of the import {import_id}.")
    work = Work(kernel.engines.write, kernel.clock)
    over = threading.Event()
    threading.Thread(target=_live, args=(work, import_id, attempt, over), daemon=True).start()
    try:
        patiently(partial(carry_out, kernel, task, attempt))
    except Superseded as error:
        raise click.ClickException("Another process has taken this import over.") from error
    finally:
        over.set()


def _live(work: Work, import_id: str, attempt: int, over: threading.Event) -> None:
    """Record every few seconds that the import is running; end the process if it must stop."""
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            if not work.extend(import_id, attempt):
                # Finished, or leased to another process: the main thread notices by itself.
                return
        except SQLAlchemyError:
            logger.exception("The lease of the import %s could not be extended", import_id)
        if over.wait(LEASE.length.total_seconds() / 6):
            return
    # The worker is gone, and nothing else would have stopped this process.
    try:
        work.release(import_id, attempt)
    finally:
        os._exit(1)
