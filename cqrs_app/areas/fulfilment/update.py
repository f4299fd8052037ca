"""One order's process in one transaction: evolve, decide, and the rows written with it. No I/O, and
no clock but the given time.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from cqrs_app.areas.fulfilment.decide import Decision, decide
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.evolve import evolve
from cqrs_app.areas.fulfilment.evolve_order import US
from cqrs_app.areas.fulfilment.inputs import (
    CommandEnded,
    CommandsSent,
    Input,
    Moved,
    StockArrived,
    words_for,
    words_for_command,
)
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, OutgoingCommand
from cqrs_app.kernel import Recorded
from cqrs_app.kernel.effects import Change, LogEntry, StoredEvent, chained

NAMESPACE = uuid.UUID("8b8a6a0e-52a4-5a53-8f9b-0c5f3a7a4a11")


def id_of(name: str) -> str:
    """The same id whenever the same thing is done again."""
    return str(uuid.uuid5(NAMESPACE, name))


def stream_of(order_id: str) -> str:
    return f"fulfilment-{order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The source of an input. `event_id` is empty for a deadline; `position` is the event's in the
    log, 0 if it has none.
    """

    command_id: str
    event_id: str = ""
    correlation_id: str = ""
    position: int = 0


def cause_of(stored: StoredEvent) -> Cause:
    return Cause(
        command_id=stored.command_id,
        event_id=stored.id,
        correlation_id=stored.correlation_id,
        position=stored.position or 0,
    )


@dataclass(slots=True, kw_only=True)
class ProcessUpdate:
    """`version` and `hash` are those of the order's own stream. `outbox` is shared by the updates
    of one transaction: commands are dispatched in the order in which they were decided. `wanted`
    are the products that the stored process waits for."""

    process: FulfilmentProcess
    version: int
    hash: bytes
    now: datetime
    outbox: list[dict[str, Any]]
    wanted: frozenset[str] = frozenset()
    position: int = 0
    changed: bool = False
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    events: list[StoredEvent] = field(default_factory=list)

    @property
    def order_id(self) -> str:
        return self.process.order_id

    def take(self, item: Input, cause: Cause) -> bool:
        """Apply an input and decide what follows; returns whether anything changed."""
        if not self.note(item, cause):
            return False
        if self.process.is_known or self.process.status.stage:
            self.go_on(cause)
        return True

    def take_once(self, item: Input, recorded: Recorded) -> None:
        """Take in an event of the order or of its payments, unless it was taken in before. A second
        arrival of stock does no harm."""
        stream, version = recorded.stream, recorded.version
        if version <= self.process.seen.get(stream, 0):
            return
        if self.take(item, cause_of(recorded.stored)) and not isinstance(item, StockArrived):
            self.process = replace(self.process, seen=self.process.seen | {stream: version})

    def note(self, item: Input, cause: Cause) -> bool:
        """Apply an input without deciding; returns whether anything changed."""
        evolved = evolve(self.process, item)
        if evolved is self.process:
            return False
        self.process, self.changed = evolved, True
        if isinstance(item, CommandEnded):
            self._end(item, cause)
        else:
            self._step(words_for(item), self.now, US, cause.command_id)
        return True

    def go_on(self, cause: Cause) -> None:
        """Send the commands that the state calls for, and record the stage."""
        self.changed, self.position = True, cause.position
        decision = decide(self.process)
        for command in decision.commands:
            words = words_for_command(command, self.order_id)
            self._step(words, self.now, US, cause.command_id, outcome="sent")
            led_by = cause.event_id or cause.command_id
            self.send(command, id_of(f"{led_by} {self.order_id} {command.no}"), cause)
        if decision.commands:
            self.process = evolve(self.process, CommandsSent(decision.commands))
        if decision.status != self.process.status or (
            decision.within is not None and self.process.due_at is None
        ):
            self._move(decision, cause)

    def send(self, command: OutgoingCommand, command_id: str, cause: Cause) -> None:
        """Add a command to the outbox."""
        row = {
            "order_id": self.order_id,
            "step": command.no,
            "type": command.name,
            "arguments": msgspec.json.encode(command.arguments).decode(),
            "command_id": command_id,
            "correlation_id": cause.correlation_id,
            "causation_id": cause.event_id or None,
        }
        self.outbox.append(row)

    def fold(self, item: Input, recorded: Recorded) -> None:
        """Apply what an event of the order's own stream represents, as of its time."""
        stored, stage = recorded.stored, self.process.status.stage
        self.process, self.changed = evolve(self.process, item), True
        self.version, self.hash = stored.version, stored.hash
        where = (stored.occurred_at, stored.operator, stored.command_id)
        match item:
            case CommandsSent((command,)):
                self._step(words_for_command(command, self.order_id), *where, outcome="sent")
            case CommandEnded():
                step = self.steps[item.no]
                step |= {"outcome": item.outcome, "ended_at": stored.occurred_at}
                step["text"] += _more(item)
            case Moved() if item.status.stage == stage:
                pass
            case _:
                self._step(words_for(item), *where)

    def _end(self, ended: CommandEnded, cause: Cause) -> None:
        row = {
            "of_order": self.order_id,
            "of_step": ended.no,
            "outcome": ended.outcome,
            "more": _more(ended),
            "ended_at": self.now,
            "command_id": cause.command_id,
        }
        self.outcomes.append(row)

    def _move(self, decision: Decision, cause: Cause) -> None:
        status, within = decision.status, decision.within
        moved = Moved(status, None if within is None else self.now + timedelta(seconds=within))
        if status.stage != self.process.status.stage:
            self._step(words_for(moved), self.now, US, cause.command_id)
        self.process = evolve(self.process, moved)
        event = FulfilmentMoved(
            order_id=self.order_id,
            stage=status.stage,
            sentence=status.sentence,
            late=status.late,
            within=within,
        )
        self._append(event, cause)

    def _append(self, event: FulfilmentMoved, cause: Cause) -> None:
        command_id = self.events[0].command_id if self.events else self.advance_id
        stored = StoredEvent(
            stream=stream_of(self.order_id),
            version=self.version + 1,
            type=type(event).__name__,
            schema=event.schema,
            payload=msgspec.json.encode(event).decode(),
            operator=US,
            command_id=command_id,
            correlation_id=cause.correlation_id or command_id,
            causation_id=cause.event_id or None,
            occurred_at=self.now,
            recorded_at=self.now,
        )
        [linked] = chained(self.hash, [stored])
        self.version, self.hash = linked.version, linked.hash
        self.events.append(linked)

    @property
    def advance_id(self) -> str:
        """The id under which the next events are written to the command log."""
        return id_of(f"{self.order_id} {self.version + 1}")

    @property
    def change(self) -> Change:
        """The events, and the row of the command log that they belong to."""
        first, last = self.events[0], self.events[-1]
        listed = [{"type": each.type, "version": each.version} for each in self.events]
        entry = LogEntry(
            command_id=first.command_id,
            type="AdvanceFulfilment",
            stream=first.stream,
            payload=msgspec.json.encode({"order_id": self.order_id}).decode(),
            operator=US,
            channel="process",
            outcome="succeeded",
            attempts=1,
            correlation_id=first.correlation_id,
            causation_id=first.causation_id,
            received_at=self.now,
            finished_at=self.now,
            duration_ms=0.0,
            version=last.version,
            events=msgspec.json.encode(listed).decode(),
        )
        return Change(entry, tuple(self.events), None)

    def _step(
        self,
        words: tuple[str, str],
        at: datetime,
        operator: str,
        command_id: str,
        outcome: str = "",
    ) -> None:
        no = self.process.steps + 1
        self.process = replace(self.process, steps=no)
        self.steps[no] = {
            "order_id": self.order_id,
            "step": no,
            "at": at,
            "operator": operator,
            "what": words[0],
            "text": words[1],
            "outcome": outcome,
            "ended_at": None,
            "command_id": command_id,
        }


def _more(ended: CommandEnded) -> str:
    return f" · {ended.sentence}" if ended.sentence else ""
