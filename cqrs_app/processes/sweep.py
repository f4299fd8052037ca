"""The sweep: does whatever a lost wake-up left undone. It needs the databases, never Redis."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.subscriptions.presence import SWEEP
from cqrs_app.kernel.subscriptions.subscription import STORES, Store

logger = logging.getLogger("countersign")

PATIENCE_SECONDS = 1.0
"""How long work may lie, and nobody be at it, before the sweep does it: a worker that was woken is
faster."""

HOUSEKEEPING_SECONDS = 3600.0
SEALING_SECONDS = 60.0


class Sweep:
    """One pass looks for lag, queued commands and what background tasks have to do; once a minute
    it seals the log, once an hour it looks for what can be tidied up."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._still_since: dict[Store, dict[tuple[str, int], float]] = {}
        self._housekept = self._sealed = float("-inf")

    def once(self) -> None:
        """One pass; what raises does not hold up the rest. Raises SQLAlchemyError when the write
        store is away."""
        self._kernel.presence.beat(SWEEP)
        for name, step in self._steps():
            _attempt(name, step)

    def leave(self) -> None:
        """Say that nobody sweeps here any more."""
        self._kernel.presence.leave(SWEEP)

    def _steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        kernel = self._kernel
        # Before the subscriptions: they go on while the read store is away.
        for name, dispatcher in kernel.tasks.items():
            yield name, partial(dispatcher.look_after, PATIENCE_SECONDS)
        for store in STORES:
            yield f"subscriptions in the {store} store", partial(self._advance, store)
        yield "queued commands", self._run_queued
        if time.monotonic() - self._sealed > SEALING_SECONDS:
            yield "seals", self._seal
        if time.monotonic() - self._housekept > HOUSEKEEPING_SECONDS:
            self._housekept = time.monotonic()
            for name, dispatcher in kernel.tasks.items():
                yield f"housekeeping of {name}", partial(dispatcher.task.housekeep, kernel)
            yield "statistics", kernel.statistics.fold

    def _advance(self, store: Store) -> None:
        """What is behind and stands where it stood: under steady load something always is behind,
        and one that moves on has a worker, whom the sweep would only keep waiting."""
        now, before = time.monotonic(), self._still_since.get(store, {})
        behind = self._kernel.runner.behind(store)
        still = {(name, each.position) for name, each in behind.items()}
        self._still_since[store] = {each: before.get(each, now) for each in still}
        for name, position in still:
            if now - self._still_since[store][name, position] >= PATIENCE_SECONDS:
                _attempt(name, partial(self._kernel.runner.advance, name))

    def _run_queued(self) -> None:
        before = self._kernel.clock() - timedelta(seconds=PATIENCE_SECONDS)
        for command_id in self._kernel.log.waiting(before):
            try:
                self._kernel.commands.run_queued(command_id)
            except BusError as error:
                logger.info("queued command %s: %s", command_id, error.sentence)

    def _seal(self) -> None:
        if not self._kernel.seals.extend():
            self._sealed = time.monotonic()


def _attempt(name: str, step: Callable[[], object]) -> None:
    """Do it; what raises is logged and tried again at the next pass."""
    try:
        step()
    except DATABASE_TROUBLE as error:
        logger.warning("the sweep tries %s again: %s", name, error.orig)
    except Exception:
        logger.exception("the sweep tries %s again", name)


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
