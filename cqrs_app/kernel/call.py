"""One command on its way through the bus."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cqrs_app.kernel.command_log import receipt_of
from cqrs_app.kernel.context import Context, Receipt
from cqrs_app.kernel.errors import CommandReused, Refused
from cqrs_app.kernel.messages import Command
from cqrs_app.kernel.store import LogEntry


@dataclass(slots=True)
class Call:
    """A command with its circumstances; `attempts` counts the transactions tried."""

    command: Command
    context: Context
    stream: str
    payload: str
    received_at: datetime
    clock: Callable[[], datetime]
    attempts: int = 1
    started: float = field(default_factory=time.perf_counter)

    @property
    def name(self) -> str:
        return type(self.command).__name__

    @property
    def duration_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000

    def entry(self, outcome: str, **rest: Any) -> LogEntry:
        """The row of the command log that says what became of this call."""
        context = self.context
        return LogEntry(
            command_id=context.command_id,
            type=self.name,
            stream=self.stream,
            payload=self.payload,
            operator=context.actor.name,
            channel=context.channel,
            outcome=outcome,
            attempts=self.attempts,
            correlation_id=context.correlation,
            causation_id=context.causation_id,
            expected_version=context.expected_version,
            occurred_at=context.occurred_at,
            received_at=self.received_at,
            finished_at=self.clock(),
            duration_ms=self.duration_ms,
            **rest,
        )

    def answer_again(self, earlier: LogEntry) -> Receipt:
        """What the first run of this command id answered.

        Raises Refused as it did, or CommandReused when that was another command or operator.
        """
        same = (self.name, self.payload, self.context.actor.name)
        if same != (earlier.type, earlier.payload, earlier.operator):
            raise CommandReused(self.context.command_id)
        if earlier.outcome == "refused":
            raise Refused(earlier.code or "refused", earlier.sentence or "")
        return receipt_of(earlier)
