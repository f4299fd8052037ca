"""Logs denied commands without their fields, up to a limit per actor and minute."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.kernel.store import LogEntry

DENIALS_PER_MINUTE = 20
"""Rows that one process writes for one actor. Further denials are counted but not written."""


class Denials:
    """Prevents actors from filling the log with commands that they may not send."""

    def __init__(self, log: CommandLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._minute: datetime | None = None
        self._written: Counter[str] = Counter()

    def record(
        self,
        command: str,
        context: Context,
        error: NotAllowed,
        *,
        stream: str = "",
        received_at: datetime | None = None,
    ) -> None:
        """Write the denial to the log; `stream` is empty if no field was read."""
        now = self._clock()
        if not self._has_room(context.actor.name, now):
            return
        self._log.record(
            LogEntry(
                command_id=context.command_id,
                type=command,
                stream=stream,
                payload="{}",
                operator=context.actor.name,
                channel=context.channel,
                outcome="refused",
                attempts=1,
                correlation_id=context.correlation,
                causation_id=context.causation_id,
                expected_version=context.expected_version,
                occurred_at=context.occurred_at,
                received_at=received_at or now,
                finished_at=now,
                duration_ms=0.0,
                code=error.code,
                sentence=error.sentence,
            )
        )

    def _has_room(self, actor: str, now: datetime) -> bool:
        minute = now.replace(second=0, microsecond=0)
        with self._lock:
            if minute != self._minute:
                self._minute, self._written = minute, Counter()
            self._written[actor] += 1
            return self._written[actor] <= DENIALS_PER_MINUTE
