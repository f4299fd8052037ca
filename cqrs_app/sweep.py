"""The sweep: does whatever a lost wake-up left undone. It needs the databases, never Redis."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel import checkpoints
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.command_bus import LEASE
from cqrs_app.kernel.errors import BusError

logger = logging.getLogger("countersign")

PATIENCE_SECONDS = 1.0
"""How long work may lie before the sweep does it: a worker that was woken is faster."""

HOUSEKEEPING_SECONDS = 3600.0


class Sweep:
    """One pass looks for lag, queued commands, what areas have to do, and lost cache tags."""

    def __init__(
        self,
        kernel: Kernel,
        duties: Sequence[Callable[[], None]] = (),
        housekeeping: Sequence[Callable[[], None]] = (),
    ) -> None:
        """`duties` are called at every pass, `housekeeping` once an hour."""
        self._kernel = kernel
        self._duties = duties
        self._housekeeping = (kernel.statistics.forget_old, *housekeeping)
        self._behind_since: dict[str, float] = {}
        self._housekept = float("-inf")

    def once(self) -> None:
        """One pass. Raises SQLAlchemyError when a database is away."""
        kernel = self._kernel
        kernel.presence.beat("sweep")
        # Before the projections: they go on while the read store is away.
        for duty in self._duties:
            duty()
        self._advance()
        before = kernel.clock() - timedelta(seconds=PATIENCE_SECONDS)
        for command_id in kernel.log.waiting(before, LEASE):
            try:
                kernel.commands.run_queued(command_id)
            except BusError as error:
                logger.info("queued command %s: %s", command_id, error.sentence)
        with kernel.engines.read.connect() as connection:
            found = checkpoints.read(connection, kernel.registry.projections)
        kernel.cache.tag({name: each.position for name, each in found.items()})
        if time.monotonic() - self._housekept > HOUSEKEEPING_SECONDS:
            self._housekept = time.monotonic()
            for keep in self._housekeeping:
                keep()

    def leave(self) -> None:
        """Say that nobody sweeps here any more."""
        self._kernel.presence.leave("sweep")

    def _advance(self) -> None:
        now = time.monotonic()
        behind = self._kernel.runner.behind()
        self._behind_since = {name: self._behind_since.get(name, now) for name in behind}
        for name, since in self._behind_since.items():
            if now - since >= PATIENCE_SECONDS:
                self._kernel.runner.advance(name)


def run_sweep(sweep: Sweep, seconds: float) -> None:
    """Sweep every so many seconds until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            sweep.once()
        except SQLAlchemyError:
            logger.exception("The sweep could not reach a database; it tries again")
        stop.wait(seconds)
    sweep.leave()
