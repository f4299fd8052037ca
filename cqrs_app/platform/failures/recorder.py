"""Keeps occurrences in memory and writes them in the background, so that what failed never waits
for this and is never broken by it. Costs nothing while nothing fails."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import Engine

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.errors import BusError, Busy, SwitchedOff
from cqrs_app.kernel.privacy.personal import redacted
from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.platform.failures.causes import Cause, cause_of, without_values
from cqrs_app.platform.failures.masking import MASK, masked, sample_text
from cqrs_app.platform.failures.records import Occurrence, Seen, save

FLUSH_SECONDS = 1.0
MOST_PENDING = 100
"""Causes that a process keeps in memory while the write store is down. Further ones are only
logged."""
SHORTEST_HIDDEN = 3
"""Shorter texts occur by chance."""
_REPORTED = "_reported_as_failure"

logger = logging.getLogger(__name__)


class Recorder:
    """Its method `report` is the kernel's Reporter. `release` names what runs now."""

    def __init__(self, engine: Engine, release: str, clock: Clock) -> None:
        self._engine = engine
        self._release = release
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[str, Seen] = {}
        self._background = Background("failures", self._write, FLUSH_SECONDS)

    def report(
        self,
        error: Exception,
        *,
        kind: str,
        place: str,
        subject: str = "",
        reference: str = "",
        message: Any = None,
        hidden: Iterable[str] = (),
    ) -> None:
        """See Reporter."""
        if isinstance(error, (Busy, SwitchedOff)) or getattr(error, _REPORTED, False):
            return
        try:
            error.__dict__[_REPORTED] = True
            clean = partial(_cleaned, message=message, hidden=sorted(hidden, key=len, reverse=True))
            lines = without_values("".join(traceback.format_exception(error)), clean)
            name = error.code if isinstance(error, BusError) else type(error).__name__
            cause = cause_of(kind, place, name, clean(str(error)), lines)
            occurrence = Occurrence(self._clock(), self._release, subject, reference)
            self._add(cause, occurrence, _sample(subject, reference, message), lines)
        except Exception:
            logger.exception("a failure of %s %s could not be kept", kind, place)

    def close(self) -> None:
        """Write what is pending. Called at the end of a process or a test."""
        self._background.close()

    def flush(self) -> None:
        """Write what is pending now."""
        self._background.run_now()

    def _add(self, cause: Cause, occurrence: Occurrence, sample: str, lines: str) -> None:
        with self._lock:
            seen = self._pending.get(cause.id)
            if seen is None:
                if len(self._pending) >= MOST_PENDING:
                    logger.error("too many failures at once; one of %s is not kept", cause.place)
                    return
                seen = self._pending[cause.id] = Seen(cause)
            seen.add(occurrence, sample, lines)
        self._background.nudge()

    def _write(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, {}
        try:
            for seen in pending.values():
                with self._engine.begin() as connection:
                    save(connection, seen)
                seen.written = True
        except Exception:
            with self._lock:
                for failure_id, seen in pending.items():
                    if not seen.written:
                        later = self._pending.get(failure_id)
                        self._pending[failure_id] = seen.followed_by(later) if later else seen
            raise


def _cleaned(text: str, message: Any, hidden: Iterable[str]) -> str:
    text = redacted(text, message)
    for value in hidden:
        if len(value) >= SHORTEST_HIDDEN:
            text = text.replace(value, MASK)
    return text


def _sample(subject: str, reference: str, message: Any) -> str:
    sample: dict[str, Any] = {"subject": subject, "reference": reference}
    if message is not None:
        sample |= {"type": type(message).__name__, "fields": masked(message)}
    return sample_text(sample)
