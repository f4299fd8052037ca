"""Commands decided one after the other and written in one transaction, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.decider import Decider
from cqrs_app.kernel.commands.log import CommandLog, receipt_of
from cqrs_app.kernel.commands.middleware import Count, counted_as
from cqrs_app.kernel.commands.repository import NO_STREAM
from cqrs_app.kernel.errors import BusError, VersionConflict
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store import Change, EventStore, Head
from cqrs_app.kernel.store.tables import FINAL


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one item of a batch: a receipt or an error."""

    receipt: Receipt | None
    error: BusError | None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The expected result of one item of a rehearsal, and the events it would lead to."""

    receipt: Receipt | None
    error: BusError | None
    events: tuple[StoredEvent, ...]


@dataclass(slots=True)
class Stream:
    """A stream as the batch will leave it: its stored head, its new head, pending events, and its
    state."""

    stored: Head
    head: Head
    pending: tuple[StoredEvent, ...] = ()
    aggregate: Aggregate | None = None


class Batch:
    """Decides each call on top of the calls before it, and commits once.

    `streams` are those that earlier chunks of a rehearsal would leave.
    """

    def __init__(
        self,
        decider: Decider,
        store: EventStore,
        log: CommandLog,
        calls: Sequence[Call],
        streams: dict[str, Stream] | None = None,
    ) -> None:
        self._decider = decider
        self._store = store
        self._calls = calls
        self._known = log.find_many(call.context.command_id for call in calls)
        self._streams = {} if streams is None else streams
        unread = {call.stream for call in calls} - self._streams.keys()
        heads = store.load_many(unread)
        for stream in unread:
            head = heads.get(stream, NO_STREAM)
            self._streams[stream] = Stream(head, head)
        self._changes: list[Change] = []
        for call in calls:
            call.past, call.existing = self.past, self._existing

    def carry_out(
        self,
        run: Callable[[Call], Receipt],
        run_alone: Callable[[Call], Receipt],
        commit: Callable[[Sequence[Change]], None],
        count: Count,
    ) -> list[Outcome]:
        """The outcomes, in the order of the calls. `run` ends in `decide` and counts no success."""
        outcomes = [_outcome(run, call) for call in self._calls]
        if self._changes:
            try:
                self._require_relied_on()
                commit(self._changes)
            except Exception:  # noqa: BLE001 - whatever the reason, each item is tried alone
                # Nothing was written, and it is not known which item failed. Run each in its own
                # transaction to get its own outcome. Refusals are already in the log.
                self._changes, self._streams = [], {}
                return [
                    _outcome(run_alone, call) if outcome.receipt else outcome
                    for call, outcome in zip(self._calls, outcomes, strict=True)
                ]
        for call, outcome in zip(self._calls, outcomes, strict=True):
            if outcome.receipt:
                count(call.name, counted_as(outcome.receipt), outcome.receipt.duration_ms)
        return outcomes

    def rehearse(self, run: Callable[[Call], Receipt]) -> list[Foreseen]:
        """What `carry_out` would return. `run` ends in `decide`. Writes nothing."""
        foreseen = []
        for call in self._calls:
            outcome = _outcome(run, call)
            events = self._changes.pop().events if self._changes else ()
            foreseen.append(Foreseen(outcome.receipt, outcome.error, events))
        return foreseen

    def decide(self, call: Call) -> Receipt:
        """The innermost step of the chain: decide, and keep the change for the shared commit."""
        # Measure this command only, without those before it in the batch.
        call.started = time.perf_counter()
        earlier = self._known.get(call.context.command_id)
        if earlier is not None and earlier.outcome in FINAL:
            return call.answer_again(earlier)
        cls, name = self._decider.target(call)
        stream = self._stream(name)
        if stream.aggregate is None:
            stream.aggregate = self._decider.repository.at(cls, name, stream.stored, stream.pending)
        aggregate, stream.aggregate = stream.aggregate, None
        # A refusal midway leaves the aggregate half changed: the next call then restores it.
        change = self._decider.decide_on(call, name, aggregate, stream.head)
        stream.aggregate = aggregate
        stream.pending += change.events
        if change.events:
            last = change.events[-1]
            snapshot = change.snapshot or stream.head.snapshot
            stream.head = Head(last.version, last.hash, snapshot)
        self._changes.append(change)
        # An id repeated within a batch gets the first answer, like any repetition.
        self._known[call.context.command_id] = change.entry
        return receipt_of(change.entry, repeated=False)

    def _stream(self, name: str) -> Stream:
        if name not in self._streams:
            head = self._store.load(name) or NO_STREAM
            self._streams[name] = Stream(head, head)
        return self._streams[name]

    def _require_relied_on(self) -> None:
        """Raise VersionConflict if another stream has not the version that a call relies on."""
        relied_on = {call.relies_on for call in self._calls if call.relies_on}
        if relied_on:
            versions = self._store.versions_of(stream for stream, _ in relied_on)
            for stream, seen in relied_on:
                if versions.get(stream, 0) != seen:
                    raise VersionConflict(stream, seen, None)

    @property
    def is_ahead(self) -> bool:
        """Whether the calls so far would write anything."""
        return any(each.pending for each in self._streams.values())

    def streams(self) -> dict[str, Stream]:
        """The streams as the calls so far would leave them, to decide further calls on."""
        return {name: replace(each, aggregate=None) for name, each in self._streams.items()}

    def found(self, cls: type[Aggregate], name: str) -> tuple[Aggregate, int]:
        """What the next call finds in a stream, and its version."""
        stream = self._stream(name)
        aggregate = self._decider.repository.at(cls, name, stream.stored, stream.pending)
        return aggregate, stream.head.version

    def past(self, stream: str) -> tuple[Event, ...]:
        """What is written of a stream, and what the calls so far would add to it."""
        ahead = self._streams[stream].pending if stream in self._streams else ()
        stored = (*self._store.events_of(stream), *ahead)
        return tuple(self._decider.codec.decode(each).event for each in stored)

    def _existing(self, streams: Collection[str]) -> Collection[str]:
        """Those that exist, or would after the calls so far."""
        ahead = {each for each in streams if each in self._streams and self._streams[each].pending}
        return ahead | self._store.versions_of(streams).keys()

    def event_types(self) -> set[str]:
        return {event.type for change in self._changes for event in change.events}


def _outcome(run: Callable[[Call], Receipt], call: Call) -> Outcome:
    try:
        return Outcome(run(call), None)
    except BusError as error:
        return Outcome(None, error)
