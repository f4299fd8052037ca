"""The sweep: does the work that a lost wake-up left undone. It needs the databases but not
Redis."""

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
from cqrs_app.kernel.reporting import reporting
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.subscriptions.presence import SWEEP
from cqrs_app.kernel.subscriptions.subscription import STORES, Store
from cqrs_app.platform.runtime.sampling import SAMPLE_SECONDS, sample

logger = logging.getLogger("countersign")

PATIENCE_SECONDS = 1.0
"""How long work may be left undone before the sweep does it. A worker that was woken is faster."""

HOUSEKEEPING_SECONDS = 3600.0
SEALING_SECONDS = 60.0
ROLL_UP_SECONDS = 60.0


class Sweep:
    """One pass does overdue work of subscriptions, queued commands and background tasks. Every ten
    seconds it samples the state of the console, once a minute it seals the logs, adds up
    measurements and deletes old traces, and once an hour it does the housekeeping."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._still_since: dict[Store, dict[tuple[str, int], float]] = {}
        self._housekept = self._sealed = self._sampled = self._rolled_up = float("-inf")

    def once(self) -> None:
        """One pass. An exception in one step does not stop the others. Raises SQLAlchemyError if
        the write store is down."""
        self._kernel.presence.beat(SWEEP)
        for name, step in self._steps():
            self._attempt(name, step)

    def leave(self) -> None:
        """Report that this sweep has ended."""
        self._kernel.presence.leave(SWEEP)

    def _steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        kernel = self._kernel
        # Before the subscriptions, since tasks can run while the read store is down.
        for name, dispatcher in kernel.tasks.items():
            yield name, partial(dispatcher.look_after, PATIENCE_SECONDS)
        for store in STORES:
            yield f"subscriptions in the {store} store", partial(self._advance, store)
        yield "queued commands", self._run_queued
        now = time.monotonic()
        if now - self._sampled > SAMPLE_SECONDS:
            self._sampled = now
            yield "samples", partial(sample, kernel)
        if now - self._rolled_up > ROLL_UP_SECONDS:
            self._rolled_up = now
            yield "measurements", kernel.roll_up
            yield "old traces", kernel.traces.delete_old
        if now - self._sealed > SEALING_SECONDS:
            yield "seals", self._seal
        if now - self._housekept > HOUSEKEEPING_SECONDS:
            self._housekept = now
            for name, dispatcher in kernel.tasks.items():
                yield f"housekeeping of {name}", partial(dispatcher.task.housekeep, kernel)
            yield "statistics", kernel.statistics.fold
            yield "old measurements", kernel.roll_up.delete_old

    def _advance(self, store: Store) -> None:
        """Advance subscriptions that are behind and have not moved.

        Under steady load some are always behind. One that moves has a worker, which the sweep would
        only block.
        """
        now, before = time.monotonic(), self._still_since.get(store, {})
        behind = self._kernel.runner.behind(store)
        still = {(name, each.position) for name, each in behind.items()}
        self._still_since[store] = {each: before.get(each, now) for each in still}
        since = self._still_since[store]
        late = {
            name: each
            for name, each in behind.items()
            if now - since[name, each.position] >= PATIENCE_SECONDS
        }
        if late:
            runner, passed = self._kernel.runner, set[str]()
            self._attempt("passing over", lambda: passed.update(runner.pass_over(late)))
            for name in late.keys() - passed:
                self._attempt(name, partial(runner.advance, name))

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

    def _attempt(self, name: str, step: Callable[[], object]) -> None:
        """Run a step. An exception is logged and reported, and the next pass tries again."""
        try:
            reporting(self._kernel.report, name, step)()
        except DATABASE_TROUBLE as error:
            logger.warning("the sweep tries %s again: %s", name, getattr(error, "orig", error))
        except Exception:
            logger.exception("the sweep tries %s again", name)


def run_sweep(sweep: Sweep, seconds: float) -> None:
    """Sweep every `seconds` until the process is stopped."""
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
