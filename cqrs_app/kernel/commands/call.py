"""One command as it passes through the bus."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.consequences import Forecast
from cqrs_app.kernel.commands.context import Context, Receipt
from cqrs_app.kernel.commands.log import receipt_of
from cqrs_app.kernel.errors import CommandReused, Invalid, NotAllowed, Refused
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Command, Event, parse
from cqrs_app.kernel.privacy.vault import Step
from cqrs_app.kernel.store import LogEntry

Keep = Callable[["Call"], str]
"""Returns a command as the log stores it: JSON with its personal values sealed."""

Past = Callable[[str], Sequence[Event]]

Existing = Callable[[Collection[str]], Collection[str]]
"""Of these streams, those that exist."""

Foresee = Callable[[Command, Context], Forecast]
"""What a command would do now. Raises what carrying it out would raise."""

Guard = Callable[["Call", str, str], Step]
"""Takes a guard of a kind for a stream: see guards.py."""

Open = Callable[[str, str], str]
"""Opens the sealed values in a text of a stream."""


def unchanged(text: str, stream: str) -> str:
    return text


def nothing(stream: str) -> Sequence[Event]:
    return ()


def none_of(streams: Collection[str]) -> Collection[str]:
    return ()


def unforeseen(command: Command, context: Context) -> Forecast:
    return Forecast(Aggregate(), 0, (), ())


def unguarded(call: Call, kind: str, stream: str) -> Step:
    return lambda connection: None


@dataclass(slots=True)
class Call:
    """A command with its context; `attempts` counts the transactions tried.

    `payload` is the command as plain JSON, which is stored only through `keep`. `belongs_to` is the
    person that owns its stream, None until the stream was read. If `dry`, nothing is stored.
    `delay` is how many seconds it waits in the queue, `was_queued` whether it comes from there.
    `repeated` is set once an earlier run of the same command id has answered.

    Middleware of areas may read the `past` of any stream: its events as this command finds them,
    and which streams are `existing`, which is cheaper. It may leave `warnings`: the command runs,
    and each is flagged beside what happened. And it may leave the command `completed` with what its
    sender left open; where that was read from the command's own stream, `completed_at` is the
    version read, and it is run again at another. With `guard`, it is run again if another command
    with that guard commits before this one. `written` are the events of the last attempt.

    It may `foresee` what a command would do. It may name another command to decide `instead`, with
    the `outcome` that the log then has for this one: the events are that command's, in its stream.
    It may add `arguments` to those of the aggregate's method. And it may say that it relies on the
    version of another stream (`relies_on`), 0 if there is none: at another version the command is
    run again. That is read by the statement that reads the command's own stream.
    """

    command: Command
    context: Context
    stream: str
    payload: str
    received_at: datetime
    clock: Clock
    keep: Keep = lambda call: call.payload
    open: Open = unchanged
    past: Past = nothing
    existing: Existing = none_of
    take_guard: Guard = unguarded
    foresee: Foresee = unforeseen
    belongs_to: str | None = None
    dry: bool = False
    delay: float = 0.0
    was_queued: bool = False
    attempts: int = 1
    repeated: bool = False
    warnings: list[Refused] = field(default_factory=list)
    completed: Command | None = None
    completed_at: int | None = None
    guards: list[Step] = field(default_factory=list)
    instead: Command | None = None
    outcome: str = "succeeded"
    arguments: dict[str, Any] = field(default_factory=dict)
    relies_on: tuple[str, int] | None = None
    written: Sequence[StoredEvent] = ()
    started: float = field(default_factory=time.perf_counter)

    @property
    def name(self) -> str:
        return type(self.command).__name__

    @property
    def routed(self) -> Command:
        """The command whose aggregate decides."""
        return self.instead or self.command

    @property
    def duration_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000

    def begin(self) -> None:
        """Forget what middleware left in an earlier attempt."""
        self.warnings, self.completed, self.completed_at, self.guards = [], None, None, []
        self.instead, self.outcome, self.arguments, self.relies_on = None, "succeeded", {}, None

    def guard(self, kind: str, stream: str) -> None:
        self.guards.append(self.take_guard(self, kind, stream))

    def entry(self, outcome: str, **rest: Any) -> LogEntry:
        """The row of the command log with the outcome of this call."""
        context = self.context
        return LogEntry(
            command_id=context.command_id,
            type=self.name,
            stream=self.stream,
            payload=self.keep(self),
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
        """The answer of the first run of this command id.

        Raises Refused if that did, or CommandReused if it was another command or operator.
        """
        if not self._is_again(earlier):
            raise CommandReused(self.context.command_id)
        self.repeated = True
        if earlier.outcome == "refused":
            raise Refused(earlier.code or "refused", earlier.sentence or "")
        return receipt_of(earlier)

    def _is_again(self, earlier: LogEntry) -> bool:
        if (self.name, self.context.actor.name) != (earlier.type, earlier.operator):
            return False
        if earlier.code == NotAllowed.code:
            return True  # the fields of a denied command are not stored
        then = self.open(earlier.payload, earlier.stream)
        # After an erasure both sides read ERASED, and their values cannot be compared.
        now = (self.payload, self.open(self.keep(self), self.stream))
        return then in now or self._in_normal_form(then) in now

    def _in_normal_form(self, payload: str) -> str:
        """A payload that an earlier release stored, as this one would write it; empty where it
        would refuse it."""
        try:
            command = parse(type(self.command), msgspec.json.decode(payload))
        except (Invalid, msgspec.MsgspecError):
            return ""
        return msgspec.json.encode(command).decode()
