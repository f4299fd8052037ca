"""The command bus: carries out every command, whichever interface it came through."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.batch import Batch, Foreseen, Outcome, Stream
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.consequences import (
    Consequences,
    Effect,
    Forecast,
    Prospect,
    Rehearsed,
)
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.commands.decider import Decider
from cqrs_app.kernel.commands.denials import Denials
from cqrs_app.kernel.commands.guards import guarding
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.commands.log import CommandLog, receipt_of
from cqrs_app.kernel.commands.middleware import (
    Count,
    Deduplicate,
    Middleware,
    Record,
    Retry,
    Trace,
    authorise,
    check_permission,
    compose,
    log_lines,
)
from cqrs_app.kernel.commands.performer import PersonOf
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import (
    BusError,
    Busy,
    Invalid,
    NotAllowed,
    Refused,
    SwitchedOff,
    UnknownMessage,
)
from cqrs_app.kernel.events.recorded import EventCodec, Recorded
from cqrs_app.kernel.messages.messages import Command, Event, parse
from cqrs_app.kernel.privacy.personal import personal_fields, personal_texts
from cqrs_app.kernel.privacy.vault import Step, Vault
from cqrs_app.kernel.reporting import Reporter, unreported
from cqrs_app.kernel.store import Change, EventStore, LogEntry
from cqrs_app.kernel.tracing.tracer import Tracer

BATCH_CHUNK = 200
WITHDRAWN = "withdrawn"
"""The code of a delayed command that was withdrawn."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusOptions:
    """The options of the bus, explained in settings.py and docs/settings.md. If `max_concurrent` is
    0, there is no limit."""

    enabled: bool = True
    queued: bool = False
    authorise: bool = True
    log_lines: bool = True
    snapshots: bool = True
    optimistic_concurrency: bool = True
    retry_attempts: int = 3
    timeout: float = 30.0
    max_concurrent: int = 100


class CommandBus:
    """`routes` maps each command to its handler; `middleware` and `consequences` come from the
    areas.

    `after_commit` is called with the types of the events written, `wake` with the id of a queued
    command, `count` with each outcome, `report` with what made a command fail, `person_of` with
    the name of an actor.
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
        clock: Callable[[], datetime] = utc_now,
        tracer: Tracer | None = None,
        person_of: PersonOf = str,
    ) -> None:
        self._routes = routes
        self._named = {command.__name__: command for command in routes}
        self._codec = codec
        self._store = store
        self._log = log
        self._vault = vault
        self._options = options
        self._after_commit = after_commit
        self._wake = wake
        self._clock = clock
        self._consequences = consequences
        self._slots = threading.BoundedSemaphore(options.max_concurrent or sys.maxsize)
        self._repository = Repository(store, codec)
        self._decider = Decider(
            routes=routes,
            codec=codec,
            repository=self._repository,
            vault=vault,
            clock=clock,
            snapshots=options.snapshots,
            minds_versions=options.optimistic_concurrency,
            person_of=person_of,
        )
        self._count = count
        self._tracer = tracer or Tracer()
        self._denials = denials = Denials(log, clock)
        record = partial(Record, log, denials, count, report)
        outer = self._outer_chain(record())
        self._outer_of_batch: list[Middleware] = [
            Trace(self._tracer),
            *self._outer_chain(record(count_successes=False)),
        ]
        self._judging: list[Middleware] = [*([authorise] if options.authorise else []), *middleware]
        self._inner: list[Middleware] = [Deduplicate(log), *middleware]
        retry = Retry(options.retry_attempts, options.timeout)
        chain: list[Middleware] = [*outer, Deduplicate(log), retry, *middleware]
        self._run = compose([Trace(self._tracer), *chain], self._transact)
        self._queue = compose([Trace(self._tracer, queued=True), *outer], self._put_in_log)

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

        Permission is checked now and again when it runs. A repeated id returns the state of the
        first.
        """
        if not self._options.enabled:
            raise SwitchedOff
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
        )
        call = self._call(command, context)
        call.received_at, call.was_queued = entry.received_at, True
        return self._guarded(call)

    def preview(self, command: Command, context: Context) -> tuple[Event, ...]:
        """The events that this command would lead to now. Writes nothing, not even to the log.

        Raises what `execute` would raise.
        """
        return tuple(recorded.event for recorded in self._previewed(command, context))

    def effects(self, command: Command, context: Context) -> tuple[Effect, ...]:
        """What would follow from this command now, beyond its own events. Writes nothing.

        Raises what `execute` would raise.
        """
        return self.foresee(command, context).effects

    def foresee(
        self, command: Command, context: Context, *, after: Batch | None = None
    ) -> Forecast:
        """What this command would do now, or after what is decided of a batch so far. Writes
        nothing. Raises what `execute` would raise."""
        if after is not None and not after.is_ahead:
            after = None
        events = self._previewed(command, context, after)

        def rehearse(further: Sequence[tuple[Command, Context]]) -> list[Rehearsed]:
            streams = after.streams() if after else None
            _, *foreseen = self.rehearse([(command, context), *further], streams)
            return [
                Rehearsed(tuple(map(self._codec.decode, each.events)), each.error)
                for each in foreseen
            ]

        past = after.past if after else self._past
        prospect = Prospect(command=command, events=events, past=past, rehearse=rehearse)
        effects = (effect for each in self._consequences for effect in each(prospect))
        cls = self._routes[type(command)].aggregate
        found = after.found if after else self._found
        before, version = found(cls, cls.stream_for(command))
        return Forecast(before, version, events, tuple(effects))

    def _found(self, cls: type[Aggregate], stream: str) -> tuple[Aggregate, int]:
        aggregate, head = self._repository.load(cls, stream)
        return aggregate, head.version

    def _previewed(
        self, command: Command, context: Context, after: Batch | None = None
    ) -> tuple[Recorded, ...]:
        if not self._options.enabled:
            raise SwitchedOff
        if after is not None:
            return self._previewed_after(after, command, context)
        changes: list[Change] = []

        def decide(call: Call) -> Receipt:
            changes.append(self._decider.decide(call))
            return receipt_of(changes[-1].entry, repeated=False)

        call = self._call(command, context)
        call.dry = True
        compose(self._judging, decide)(call)
        for change in changes:
            self._store.rehearse(change)
        stored = [event for change in changes for event in change.events]
        return tuple(map(self._codec.decode, stored))

    def _previewed_after(
        self, batch: Batch, command: Command, context: Context
    ) -> tuple[Recorded, ...]:
        call = self._call(command, context)
        call.dry = True
        trial = Batch(self._decider, self._store, self._log, [call], batch.streams())
        (foreseen,) = trial.rehearse(compose(self._judging, trial.decide))
        if foreseen.error:
            raise foreseen.error
        return tuple(map(self._codec.decode, foreseen.events))

    def execute_batch(self, items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        """Carry out many commands, in order. Each is accepted or refused independently.

        The accepted commands of a chunk share a transaction. If it fails, the chunk is run again
        one by one, so that no item depends on its neighbours.
        """
        if not self._options.enabled:
            raise SwitchedOff
        outcomes: list[Outcome] = []
        for start in range(0, len(items), BATCH_CHUNK):
            calls = [self._call(*item) for item in items[start : start + BATCH_CHUNK]]
            self._vault.ensure_keys(_people_of(calls))
            batch = Batch(self._decider, self._store, self._log, calls)
            for call in calls:
                call.foresee = partial(self.foresee, after=batch)
            run = compose([*self._outer_of_batch, *self._inner], batch.decide)
            outcomes += batch.carry_out(run, self._guarded, self._store.commit, self._count)
            self._after_commit(batch.event_types())
        return outcomes

    def rehearse(
        self,
        items: Sequence[tuple[Command, Context]],
        streams: dict[str, Stream] | None = None,
    ) -> list[Foreseen]:
        """What `execute_batch` would return, each command decided on top of those before it, and
        on these streams.

        Writes nothing. Skips the areas' middleware and does not check claims. Ids must be unique
        among the items.
        """
        if not self._options.enabled:
            raise SwitchedOff
        chain: list[Middleware] = [authorise] if self._options.authorise else []
        streams = {} if streams is None else streams
        foreseen: list[Foreseen] = []
        for start in range(0, len(items), BATCH_CHUNK):
            calls = [self._call(*item) for item in items[start : start + BATCH_CHUNK]]
            for call in calls:
                call.dry = True
            batch = Batch(self._decider, self._store, self._log, calls, streams)
            foreseen += batch.rehearse(compose(chain, batch.decide))
        return foreseen

    def _command(self, name: str) -> type[Command]:
        if name not in self._named:
            raise UnknownMessage(f"There is no command called {name}.")
        return self._named[name]

    def _outer_chain(self, record: Record) -> list[Middleware]:
        return [
            *([log_lines] if self._options.log_lines else []),
            record,
            *([authorise] if self._options.authorise else []),
        ]

    def _call(self, command: Command, context: Context) -> Call:
        stream = self._routes[type(command)].aggregate.stream_for(command)
        payload = msgspec.json.encode(command).decode()
        now = self._clock()
        call = Call(
            command,
            context,
            stream,
            payload,
            now,
            self._clock,
            past=self._past,
            existing=self._existing,
            take_guard=self._guard,
            foresee=self.foresee,
        )
        if personal_fields(type(command)):
            call.keep, call.open = self._sealed, self._vault.open
        return call

    def _guard(self, call: Call, kind: str, stream: str) -> Step:
        return guarding(self._store, self._vault, kind, stream, call.context.command_id)

    def _past(self, stream: str) -> tuple[Event, ...]:
        found = self._store.events_of(stream)
        return tuple(self._codec.decode(stored).event for stored in found)

    def _existing(self, streams: Collection[str]) -> Collection[str]:
        return self._store.versions_of(streams)

    def _sealed(self, call: Call) -> str:
        """The command as it is stored in the log."""
        if call.belongs_to is None and not call.command.concerns:
            aggregate = self._routes[type(call.command)].aggregate
            call.belongs_to = self._repository.load(aggregate, call.stream)[0].belongs_to
        sealing = self._vault.sealing(call.stream, call.belongs_to or "", dry=call.dry)
        return sealing.command_text(call.command)

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
