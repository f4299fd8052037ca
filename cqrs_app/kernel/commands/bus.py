"""The command bus: carries out every command, whichever interface it came through."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.batch import Batch, Outcome
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.consequences import (
    Consequences,
)
from cqrs_app.kernel.commands.context import Actor, ActorNow, Context, Receipt
from cqrs_app.kernel.commands.denials import Denials
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.commands.log import CommandLog, receipt_of
from cqrs_app.kernel.commands.middleware import (
    Count,
    Deduplicate,
    Middleware,
    Record,
    Retry,
    Trace,
    check_permission,
    compose,
    log_lines,
)
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.commands.performer import PersonOf
from cqrs_app.kernel.commands.previews import BATCH_CHUNK, Previews
from cqrs_app.kernel.errors import (
    BusError,
    Busy,
    Invalid,
    NotAllowed,
    Refused,
    SwitchedOff,
    UnknownMessage,
)
from cqrs_app.kernel.events.recorded import EventCodec
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.privacy.personal import personal_texts
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.reporting import Reporter, unreported
from cqrs_app.kernel.store import EventStore, LogEntry
from cqrs_app.kernel.tracing.tracer import Tracer

WITHDRAWN = "withdrawn"
"""The code of a delayed command that was withdrawn."""


class CommandBus(Previews):
    """`routes` maps each command to its handler; `middleware` and `consequences` come from the
    areas.

    `after_commit` is called with the types of the events written, `wake` with the id of a queued
    command, `count` with each outcome, `report` with what made a command fail, `person_of` with
    the name of an actor, `actor_now` with the sender of a deferred command.
    """

    def __init__(
        self,
        routes: Mapping[type[Command], Handler],
        codec: EventCodec,
        store: EventStore,
        log: CommandLog,
        vault: Vault,
        options: BusOptions,
        *,
        middleware: Sequence[Middleware] = (),
        consequences: Sequence[Consequences] = (),
        after_commit: Callable[[Iterable[str]], None],
        wake: Callable[[str], None],
        count: Count,
        report: Reporter = unreported,
        clock: Clock = utc_now,
        tracer: Tracer | None = None,
        person_of: PersonOf = str,
        actor_now: ActorNow = lambda actor: actor,
    ) -> None:
        super().__init__(
            routes,
            codec,
            store,
            log,
            vault,
            options,
            middleware=middleware,
            consequences=consequences,
            clock=clock,
            person_of=person_of,
            actor_now=actor_now,
        )
        self._named = {command.__name__: command for command in routes}
        self._after_commit = after_commit
        self._wake = wake
        self._slots = threading.BoundedSemaphore(options.max_concurrent or sys.maxsize)
        self._count = count
        self._tracer = tracer or Tracer()
        self._denials = denials = Denials(log, clock)
        record = partial(Record, log, denials, count, report)
        lines: list[Middleware] = [log_lines] if options.log_lines else []
        outer: list[Middleware] = [*lines, record()]
        inner: list[Middleware] = [Deduplicate(log), *self._judging]
        uncounted = record(count_successes=False)
        self._of_batch: list[Middleware] = [Trace(self._tracer), *lines, uncounted, *inner]
        retry = Retry(options.retry_attempts, options.timeout)
        chain: list[Middleware] = [*outer, Deduplicate(log), *self._allowed, retry, *middleware]
        self._run = compose([Trace(self._tracer), *chain], self._transact)
        self._queue = compose(
            [Trace(self._tracer, queued=True), *outer, *self._allowed], self._put_in_log
        )

    @property
    def enabled(self) -> bool:
        """Whether commands are accepted. They are not in maintenance mode."""
        return self._options.enabled

    def authorise(self, command: type[Command], context: Context) -> None:
        """Raise NotAllowed, and log it, if the actor may not send such a command.

        For callers that have not read the command's fields yet: permission is checked first.
        """
        if not self._options.authorise:
            return
        try:
            check_permission(command, context)
        except NotAllowed as error:
            self._denials.record(command.__name__, context, error)
            self._count(command.__name__, "refused", 0.0)
            raise

    def dispatch(self, command: Command, context: Context) -> Receipt:
        """Carry out or queue the command, depending on COMMAND_BUS_TYPE."""
        act = self.enqueue if self._options.queued else self.execute
        return act(command, context)

    def execute(self, command: Command, context: Context) -> Receipt:
        """Carry out one command now.

        Raises Refused, NotAllowed, VersionConflict, CommandReused, Busy, SwitchedOff, TimedOut.
        After any exception nothing but the command log has changed.
        """
        return self._guarded(self._call(command, context))

    def enqueue(self, command: Command, context: Context) -> Receipt:
        """Queue a command for a worker. Its row in the log is the queue.

        Permission is checked now, and again when it runs, by what its sender may do then. A
        repeated id returns the state of the first. One with a reason is carried out now: the row
        has no place for that.
        """
        if not self._options.enabled:
            raise SwitchedOff
        if context.why:
            return self.execute(command, context)
        receipt = self._queue(self._call(command, context))
        self._wake(context.command_id)
        return receipt

    def postpone(self, command: Command, context: Context, seconds: float) -> Receipt:
        """Queue a command that can be withdrawn until it is carried out, after so many seconds.

        Raises what `execute` would raise now. Where the same waits for the stream already, returns
        its receipt.
        """
        if seconds <= 0:
            return self.dispatch(command, context)
        try:
            self.preview(command, context)
        except BusError:
            # It is refused now, and logged as any refusal.
            return self.execute(command, context)
        call = self._call(command, context)
        call.delay = seconds
        return self._queue(call)

    def withdraw(self, command_id: str, context: Context) -> LogEntry:
        """Withdraw a delayed command; whoever may send such a command may. Returns its row.

        Raises Refused if it is not waiting any more, and NotAllowed.
        """
        entry = self._log.find(command_id)
        if entry is not None:
            self.authorise(self._command(entry.type), context)
            sentence = f"Undone by {context.actor.name} before it was carried out."
            if self._log.withdraw(command_id, self._clock(), WITHDRAWN, sentence):
                self._count(entry.type, "refused", 0.0)
                return entry
        raise Refused("not_waiting", "It was carried out or undone already. Nothing was changed.")

    def dispatch_batch(self, items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        """Carry out or queue many commands, depending on COMMAND_BUS_TYPE."""
        act = self.enqueue_batch if self._options.queued else self.execute_batch
        return act(items)

    def enqueue_batch(self, items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        """Queue many commands, in order. Each is accepted or refused independently."""
        return [self._enqueued(*item) for item in items]

    def _enqueued(self, command: Command, context: Context) -> Outcome:
        try:
            return Outcome(self.enqueue(command, context), None)
        except BusError as error:
            return Outcome(None, error)

    def run_queued(self, command_id: str) -> Receipt | None:
        """Carry out the first queued command of this command's stream.

        Returns None if another worker is running it, if none is left, or if commands are switched
        off; then they wait.
        """
        entry = self._log.take(command_id) if self._options.enabled else None
        if entry is None:
            return None
        payload = msgspec.json.decode(self._vault.open(entry.payload, entry.stream))
        try:
            command = parse(self._command(entry.type), payload)
        except Invalid as invalid:
            # For example, its values were erased while it waited. It must not be retried forever.
            ended = replace(entry, outcome="refused", finished_at=self._clock(), permissions="")
            self._log.record(replace(ended, code=invalid.code, sentence=invalid.sentence))
            self._count(entry.type, "refused", 0.0)
            raise
        context = Context(
            actor=Actor(entry.operator, frozenset(entry.permissions.split())),
            channel=entry.channel,
            command_id=entry.command_id,
            correlation_id=entry.correlation_id,
            causation_id=entry.causation_id,
            expected_version=entry.expected_version,
            occurred_at=entry.occurred_at,
            deferred=True,
        )
        call = self._call(command, context)
        call.received_at, call.was_queued = entry.received_at, True
        return self._guarded(call)

    def execute_batch(self, items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        """Carry out many commands, in order. Each is accepted or refused independently.

        The accepted commands of a chunk share a transaction. If it fails, the chunk is run again
        one by one, so that no item depends on its neighbours.
        """
        if not self._options.enabled:
            raise SwitchedOff
        outcomes: list[Outcome] = []
        for start in range(0, len(items), BATCH_CHUNK):
            calls = self._calls(items[start : start + BATCH_CHUNK])
            self._vault.ensure_keys(_people_of(calls))
            batch = Batch(self._decider, self._store, self._log, calls)
            for call in calls:
                call.foresee = partial(self.foresee, after=batch)
            run = compose(self._of_batch, batch.decide)
            outcomes += batch.carry_out(run, self._guarded, self._store.commit, self._count)
            self._after_commit(batch.event_types())
        return outcomes

    def _command(self, name: str) -> type[Command]:
        if name not in self._named:
            raise UnknownMessage(f"There is no command called {name}.")
        return self._named[name]

    def _guarded(self, call: Call) -> Receipt:
        if not self._options.enabled:
            raise SwitchedOff
        if not self._slots.acquire(timeout=min(1.0, self._options.timeout)):
            raise Busy("commands")
        try:
            return self._run(call)
        finally:
            self._slots.release()

    def _transact(self, call: Call) -> Receipt:
        with self._tracer.step("decide"):
            change = self._decider.decide(call)
        with self._tracer.step("commit"):
            self._store.commit([change])
        self._after_commit(event.type for event in change.events)
        return receipt_of(change.entry, repeated=False)

    def _put_in_log(self, call: Call) -> Receipt:
        permissions = " ".join(sorted(call.context.actor.permissions))
        unfinished: dict[str, Any] = {"finished_at": None, "duration_ms": None}
        entry = replace(call.entry("queued", permissions=permissions), **unfinished)
        while not self._log.queue(entry, call.delay):
            earlier = self._log.find(entry.command_id)
            if earlier is not None:
                return call.answer_again(earlier)
            waiting = self._log.delayed(call.stream, call.name)
            if waiting is not None:
                return receipt_of(waiting)
            # The one that was waiting has just been taken or withdrawn.
        return receipt_of(entry, repeated=False)


def _people_of(calls: Iterable[Call]) -> set[str]:
    """The persons whose personal data these commands carry and whom they name."""
    people = {call.command.concerns for call in calls if any(personal_texts(call.command))}
    return people - {""}
