"""Brings subscriptions up to date with the event log. Each event takes effect exactly once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, Engine

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.events.recorded import EventCodec, StoredEvent, UnknownEvent
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions import parking
from cqrs_app.kernel.subscriptions.cursors import BUILDING, Cursor, Reached, cursors_in
from cqrs_app.kernel.subscriptions.parking import parking_in
from cqrs_app.kernel.subscriptions.subscription import STORES, Overtaken, Store, Subscription
from cqrs_app.kernel.tracing.tracer import Tracer

CATCHING_UP = timedelta(hours=1)
"""Of events that are older than this, no spans are made."""


class Halted(Exception):
    """A subscription cannot continue by itself. The text is a sentence, stored with its state
    `failed`."""


class Advanced(Protocol):
    """Called with the name of a subscription, how many events were processed, the milliseconds that
    it took, and those between the commit of the first of them and that of its rows."""

    def __call__(self, name: str, events: int, ms: float, waited_ms: float) -> None: ...


class SubscriptionRunner:
    """`advanced` is called after each commit, and `erased` after one that removed a person's values
    from the rows."""

    def __init__(
        self,
        subscriptions: Mapping[str, Subscription],
        codec: EventCodec,
        store: EventStore,
        engines: Mapping[Store, Engine],
        *,
        batch: int,
        advanced: Advanced,
        erased: Callable[[], None],
        clock: Clock = utc_now,
        tracer: Tracer | None = None,
    ) -> None:
        self._subscriptions = subscriptions
        self._codec = codec
        self._store = store
        self._engines = engines
        self._readers = {name: reader_of(engine) for name, engine in engines.items()}
        self._batch = batch
        self._advanced = advanced
        self._erased = erased
        self._clock = clock
        self._tracer = tracer or Tracer()

    def now(self) -> datetime:
        return self._clock()

    def prepare(self) -> None:
        """Create the missing cursors."""
        head = self._store.head()
        for store, engine in self._engines.items():
            versions = {each.name: each.version for each in self._in(store)}
            with engine.begin() as connection:
                cursors_in(store).ensure(connection, versions, self._codec.zone.key, head)

    def advance(self, name: str) -> int:
        """Process all pending events of one subscription; returns how many it read.

        Safe to call concurrently: of two runners one moves the cursor, and the other continues
        after it.
        """
        self._store.place()
        taken = 0
        while True:
            try:
                count = self._step(self._subscriptions[name])
            except Overtaken:
                continue
            taken += count
            if count < self._batch:
                return taken

    def cursors(self, *stores: Store) -> dict[str, Cursor]:
        """Name -> cursor of the subscriptions in these stores, or in all, in order of
        declaration."""
        found: dict[str, Cursor] = {}
        for store in stores or STORES:
            names = [each.name for each in self._in(store)]
            with self._readers[store].connect() as connection:
                found |= cursors_in(store).read(connection, names)
        return {name: found[name] for name in self._subscriptions if name in found}

    def behind(self, *stores: Store) -> dict[str, Cursor]:
        """The cursors that are not paused and have not reached the end of the log, and those that
        followed another log: advancing them reports that."""
        head = self._store.head()
        last = self._store.follow(head - 1, 1) if head else ()
        ended = last[0].hash if last else None
        return {
            name: each
            for name, each in self.cursors(*stores).items()
            if each.state in ("running", "failed", "rebuilding")
            and (each.position != head or (each.hash is not None and each.hash != ended))
        }

    def advance_all(self, names: Collection[str]) -> None:
        """Process all pending events of these subscriptions. Those that want none read the log
        together."""
        stores = {self._subscriptions[name].store for name in names}
        found = self.behind(*stores).items() if stores else ()
        behind = {name: each for name, each in found if name in names}
        passed = self.pass_over(behind)
        for name in behind:
            if name not in passed:
                self.advance(name)

    def pass_over(self, behind: Mapping[str, Cursor]) -> set[str]:
        """Move the cursors of subscriptions that want none of the next events, as far as they want
        none, many of them in one transaction; returns the names of those that are no longer behind.
        The others are to be advanced.

        `behind` are cursors as `behind` found them.
        """
        self._store.place()
        together: dict[tuple[Store, int, bytes | None], list[Cursor]] = defaultdict(list)
        for name, cursor in behind.items():
            subscription = self._subscriptions[name]
            if cursor.state == "running" and not self.outdated(cursor, subscription):
                together[subscription.store, cursor.position, cursor.hash].append(cursor)
        passed: set[str] = set()
        for (store, *_), cursors in together.items():
            passed |= self._pass_together(store, cursors)
        return passed

    def _pass_together(self, store: Store, cursors: Sequence[Cursor]) -> set[str]:
        """The same for cursors of one store at one position."""
        while cursors:
            moved, more = self._pass_batch(store, cursors)
            if not more:
                return moved
            cursors = self._still_together(store, moved)
        return set()

    def _still_together(self, store: Store, moved: set[str]) -> list[Cursor]:
        """The cursors of subscriptions that were just moved to one position."""
        found = [each for each in self.cursors(store).values() if each.subscription in moved]
        last = max((each.position for each in found), default=0)
        return [each for each in found if each.position == last and each.state == "running"]

    def _pass_batch(self, store: Store, cursors: Sequence[Cursor]) -> tuple[set[str], bool]:
        """Move cursors of one store at one position past the next batch; returns whose were moved,
        and whether there may be more events for them."""
        started = time.perf_counter()
        try:
            events = self.ahead(cursors[0])
            idle = [
                each
                for each in cursors
                if not self.wanted(self._subscriptions[each.subscription], events)
            ]
        except (UnknownEvent, Halted):
            return set(), False  # whoever advances them records it
        if not events:
            return {each.subscription for each in cursors}, False
        if not idle:
            return set(), False
        position, last, now = events[-1].position or 0, events[-1].hash, self._clock()
        with self._engines[store].begin() as connection:
            moved = cursors_in(store).move_unlocked(
                connection, idle, position, last, len(events), now
            )
        elapsed = (time.perf_counter() - started) * 1000
        waited = (now - events[0].recorded_at).total_seconds() * 1000
        for name in moved:
            self._advanced(name, len(events), elapsed, waited)
        return moved, len(events) >= self._batch

    def _in(self, store: Store) -> list[Subscription]:
        return [each for each in self._subscriptions.values() if each.store == store]

    def _step(self, subscription: Subscription) -> int:
        started, name = time.perf_counter(), subscription.name
        started_at = time.time_ns()
        try:
            events = self._take_next(subscription)
        except (UnknownEvent, Halted) as error:
            self._halt(subscription, error)
            return 0
        if events:
            elapsed = (time.perf_counter() - started) * 1000
            waited = (self._clock() - events[0].recorded_at).total_seconds() * 1000
            self._advanced(name, len(events), elapsed, waited)
            self.trace(subscription, events, started_at)
            if any(erases(event, subscription) for event in events):
                self._forget_person(subscription)
        return len(events)

    def trace(
        self, subscription: Subscription, events: Sequence[StoredEvent], started: int
    ) -> None:
        """Make the spans of events that it has processed since `started`, in nanoseconds."""
        wanted = [event for event in events if subscription.wants(event.type)]
        since = self._clock() - CATCHING_UP
        self._tracer.processed(subscription.name, wanted, started, since)

    def _halt(self, subscription: Subscription, error: Exception) -> None:
        cursors, name = cursors_in(subscription.store), subscription.name
        with self._engines[subscription.store].begin() as connection:
            cursors.set_state(connection, name, "failed", str(error))

    def _forget_person(self, subscription: Subscription) -> None:
        """Called after this subscription has removed a person's values from its rows."""
        self.forget_answers()

    def forget_answers(self) -> None:
        self._erased()

    def _take_next(self, subscription: Subscription) -> Sequence[StoredEvent]:
        """Process the next events and move the cursor past them; returns the events."""
        cursors, name = cursors_in(subscription.store), subscription.name
        with self._readers[subscription.store].connect() as connection:
            cursor = cursors.read(connection, [name]).get(name)
        if cursor is None or cursor.state in ("paused", BUILDING):
            return ()
        if outdated := self.outdated(cursor, subscription):
            raise Halted(outdated)
        try:
            events = self.ahead(cursor)
        except Halted:
            if not subscription.accepts_restored_log:
                raise
            with self._engines[subscription.store].begin() as connection:
                cursors.accept(connection, name, self._store.head())
            return ()
        if not events:
            if cursor.state in ("failed", "rebuilding"):
                with self._engines[subscription.store].begin() as connection:
                    cursors.set_state(connection, name, "running")
            return ()
        mine = [
            event
            for event in self.wanted(subscription, events)
            if event.type not in subscription.once or (event.position or 0) > cursor.since
        ]
        if not (cursor.parked and mine) and self._take_together(subscription, cursor, events, mine):
            return events
        with self._moving(subscription, cursor, events) as connection:
            self._take_apart(connection, subscription, mine)
        return events

    def outdated(self, cursor: Cursor | Reached, subscription: Subscription) -> str | None:
        """Why the rows are not those that this release makes, as a sentence; None if they are."""
        todo = f"Run: flask projections rebuild {subscription.name}"
        if cursor.version != subscription.version:
            return (
                f"Its tables have shape {cursor.version}, this release makes shape "
                f"{subscription.version}. {todo}"
            )
        zone = self._codec.zone.key
        if subscription.by_day and cursor.zone != zone:
            return (
                f"Its days are those of {cursor.zone}, the business day is that of {zone}. {todo}"
            )
        return None

    def ahead(
        self, cursor: Cursor, limit: int | None = None, within: Connection | None = None
    ) -> Sequence[StoredEvent]:
        """The events after the cursor, as the transaction `within` sees them. Raises Halted if the
        log is not the one it followed."""
        limit = limit or self._batch
        store = self._store
        follow = store.follow if within is None else partial(store.follow_within, within)
        if not cursor.position:
            return follow(0, limit)
        # The event at the cursor is read again as well, so that the check costs no extra statement.
        found = follow(cursor.position - 1, limit + 1)
        last = found[0] if found else None
        same = last is not None and last.position == cursor.position
        if last is None or not same or (cursor.hash is not None and last.hash != cursor.hash):
            raise Halted(
                f"The log is not the one it followed: at position {cursor.position} there is "
                f"{'another event' if same else 'no event'}. Was the write store restored? Rebuild "
                "it if it is a projection. Otherwise check what it did since the backup, then "
                "pause and resume it."
            )
        return found[1:]

    def wanted(
        self, subscription: Subscription, events: Sequence[StoredEvent]
    ) -> Sequence[StoredEvent]:
        """The events that the subscription wants.

        Raises UnknownEvent for a type that a newer release wrote: this one does not know who wants
        it, and a skipped event would be missing for good, in a read model as in effects.
        """
        types = {each.type for each in events}
        for name in sorted(types):
            if not self._codec.knows(name):
                raise UnknownEvent(f"No event type {name} is known to this release.")
        wanted = {name for name in types if subscription.wants(name)}
        return [event for event in events if event.type in wanted]

    @contextmanager
    def _moving(
        self, subscription: Subscription, cursor: Cursor, events: Sequence[StoredEvent]
    ) -> Iterator[Connection]:
        """A transaction in which the cursor has moved past these events. Raises Overtaken."""
        with self._engines[subscription.store].begin() as connection:
            self.move(connection, subscription, cursor, events)
            yield connection

    def move(
        self,
        connection: Connection,
        subscription: Subscription,
        cursor: Cursor,
        events: Sequence[StoredEvent],
    ) -> None:
        """Move the cursor past these events. Raises Overtaken."""
        position, last = events[-1].position or 0, events[-1].hash
        cursors = cursors_in(subscription.store)
        cursors.move(connection, cursor, position, last, len(events), self._clock())

    def _take_together(
        self,
        subscription: Subscription,
        cursor: Cursor,
        events: Sequence[StoredEvent],
        mine: Sequence[StoredEvent],
    ) -> bool:
        """Process all of them at once; returns whether that succeeded. If not, nothing has
        changed."""
        try:
            # Decode before the transaction begins, so that it holds its locks for a shorter time.
            batch = self._codec.decode_all(mine)
            with self._moving(subscription, cursor, events) as connection:
                if batch:
                    subscription.take(batch, connection)
        except (*parking.DATABASE_TROUBLE, UnknownEvent, Overtaken):
            raise
        except Exception:  # noqa: BLE001 - it is raised again and recorded, one by one
            return False
        return True

    def _take_apart(
        self, connection: Connection, subscription: Subscription, events: Sequence[StoredEvent]
    ) -> None:
        name, parked = subscription.name, parking_in(subscription.store)
        blocked = parked.streams(connection, name, {event.stream for event in events})
        for event in events:
            error = None
            # An erasure waits behind no parked event: a poison event must not retain personal data.
            if event.stream not in blocked or erases(event, subscription):
                take = parking.taker(subscription, self._codec)
                error = parking.take_one(connection, event, take)
                if error is None:
                    continue
                blocked.add(event.stream)
            described = parking.describe(self._codec, event, error) if error else None
            parked.park(connection, name, event, self._clock(), described)


def erases(event: StoredEvent, subscription: Subscription) -> bool:
    """Whether the subscription removes a person's values upon this event."""
    return event.type == SubjectErased.__name__ and subscription.wants(event.type)
