"""Records the statements that took long, without their values."""

from __future__ import annotations

import re
import time
from typing import Any

from sqlalchemy import Engine, event

from cqrs_app.kernel.measurements.recorder import Recorder

SLOW_MS = 50.0
LONGEST_TEXT = 300

_LISTS = re.compile(r"(?:\?|%\(\w+\)s(?:::\w+)?)(?:, (?:\?|%\(\w+\)s(?:::\w+)?))+")
_SPACE = re.compile(r"\s+")


def watch(engine: Engine, store: str, recorder: Recorder) -> None:
    """Record each statement of SQLAlchemy on this engine that takes SLOW_MS or more."""

    @event.listens_for(engine, "before_cursor_execute")
    def _before(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        connection.info["began"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def _after(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        ms = (time.perf_counter() - connection.info["began"]) * 1000
        if ms >= SLOW_MS:
            recorder.record("slow_statements", (store, shortened(statement)), ms)


def shortened(statement: str) -> str:
    """One line, the same whatever the number of values in a list."""
    text = _LISTS.sub("...", _SPACE.sub(" ", statement)).strip()
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
