"""The sweep: does whatever a lost wake-up left undone. It needs the databases, never Redis."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import LEASE
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.projections import checkpoints

logger = logging.getLogger("countersign")

PATIENCE_SECONDS = 1.0
"""How long work may lie, and nobody be at it, before the sweep does it: a worker that was woken is
faster."""

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
        self._housekeeping = (*housekeeping, kernel.statistics.fold)
        self._still_since: dict[tuple[str, int], float] = {}
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
        still = self._behind()
        self._still_since = {each: self._still_since.get(each, now) for each in still}
        for (name, _), since in self._still_since.items():
            if now - since >= PATIENCE_SECONDS:
                self._kernel.runner.advance(name)

    def _behind(self) -> list[tuple[str, int]]:
        """What is behind, and the position it stands at: under steady load something always is,
        and one that moves on has a worker, whom the sweep would only keep waiting."""
        behind = self._kernel.runner.behind()
        if not behind:
            return []
        with self._kernel.engines.read.connect() as connection:
            found = checkpoints.read(connection, behind)
        return [(name, each.position) for name, each in found.items()]


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
