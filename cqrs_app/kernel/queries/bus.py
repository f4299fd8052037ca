"""The query bus: answers every query and reports how fresh the answer is."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.commands.middleware import Count
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import (
    BeyondHead,
    BusError,
    Busy,
    NotAllowed,
    Refused,
    TimedOut,
    TooStale,
)
from cqrs_app.kernel.events.recorded import UnknownEvent, UnreadableEvent
from cqrs_app.kernel.messages.messages import Query, parse
from cqrs_app.kernel.messages.notation import Notation
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.queries.answers import Answers, FromPast, FromState, Projected, Strong
from cqrs_app.kernel.queries.bounds import Bounds
from cqrs_app.kernel.queries.cache import AnswerCodec, Asked, Entry, Kept, QueryCache, codec_of
from cqrs_app.kernel.queries.context import Answer, MinVersion, QueryContext
from cqrs_app.kernel.queries.freshness import Freshness, FreshnessGauge
from cqrs_app.kernel.queries.log import QueryLog
from cqrs_app.kernel.queries.past import Past
from cqrs_app.kernel.queries.readers import Concealing, Reader, ReadingRights
from cqrs_app.kernel.queries.revealing import revealed
from cqrs_app.kernel.queries.side_by_side import side_by_side
from cqrs_app.kernel.queries.waiting import Waits
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.deadlines import answered_within
from cqrs_app.kernel.store.engines import ANSWER_SECONDS, reader_of
from cqrs_app.kernel.subscriptions.cursors import Reached, cursors_in
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE, parking_in
from cqrs_app.kernel.tracing.tracer import Tracer

T = TypeVar("T")

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.02
FLIGHT_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOptions:
    """The options of the bus, explained in docs/settings.md. If `max_concurrent` is
    0, there is no limit; if `write_through` or `log_share` is 0, there is none."""

    authorise: bool = True
    caching: bool = True
    timeout: float = 10.0
    max_concurrent: int = 200
    max_waiting: int = 4
    write_through: float = 0.0
    log_share: float = 0.0
    at_once: int = 1


class Source(NamedTuple):
    """Where the rows of an answer are read, and how far its projections are there."""

    engine: Engine
    reached: Sequence[Reached]


def results_of(query: type[Query]) -> tuple[str, ...]:
    """The results that an answer to such a query can be counted as."""
    kept = ("hit", "stale_hit", "miss") if query.declaration.cached else ()
    return (*kept, "uncached", "strong", "refused", "failed")


class QueryBus:
    """`engines` are "write", "read" and "query", which reads the read store or a replica of it. All
    are used for reading only.

    `count` is called for each answer; `results_of` lists the results. `served_late` is called with
    (query name, seconds) for those that lack events of that age.
    """

    def __init__(
        self,
        answers: Mapping[type[Query], Answers],
        notation: Notation,
        past: Past,
        repository: Repository,
        engines: Mapping[str, Engine],
        store: EventStore,
        runner: ProjectionRunner,
        gauge: FreshnessGauge,
        cache: QueryCache,
        vault: Vault,
        options: QueryOptions,
        *,
        count: Count,
        served_late: Callable[[str, float], None],
        log: QueryLog,
        tracer: Tracer | None = None,
        rights: ReadingRights | None = None,
    ) -> None:
        self._answers = answers
        self._past = past
        self._concealed_past = past.with_opener(Concealing())
        # Where permissions are not checked, everybody may see everything.
        self._rights = (options.authorise and rights) or ReadingRights()
        self._repository = repository
        self._write = reader_of(engines["write"])
        self._query = reader_of(engines["query"])
        self._primary = reader_of(engines["read"])
        self.has_replica = engines["query"].url != engines["read"].url
        self._store = store
        self._cursors, self._parking = cursors_in("read"), parking_in("read")
        self._runner = runner
        self._gauge = gauge
        self._cache = cache
        self._vault = vault
        self._options = options
        self._count = count
        self._served_late = served_late
        self._log = log
        self._tracer = tracer or Tracer()
        self._slots = threading.BoundedSemaphore(options.max_concurrent or sys.maxsize)
        self._waits = Waits(options.max_waiting)
        self.seen: Callable[[Query, str], None] = lambda query, actor: None
        """Called with each question whose answer has personal data, and who asked it."""
        kinds = {query: get_type_hints(each.handler)["return"] for query, each in answers.items()}
        self._writers = {query: notation.writer(kind) for query, kind in kinds.items()}
        self._codecs = {
            query: codec_of(kind) for query, kind in kinds.items() if query.declaration.cached
        }

    def ask(self, query: Query, context: QueryContext) -> Answer[Any]:
        """Answer one query. Raises NotAllowed, Busy, TimedOut, or the handler's Refused; TooStale
        or BeyondHead where no answer keeps the bounds that the asker set."""
        name, started = type(query).__name__, time.perf_counter()
        result, code = "failed", ""
        try:
            self.authorise(type(query), context)
            with self._tracer.step(f"query {name}") as span:
                with self._slot(), answered_within(self._options.timeout + ANSWER_SECONDS):
                    answer, result = self._answer(query, context)
                span.note("cqrs.cache", result)
            if answer.freshness.lag_seconds:
                self._served_late(name, answer.freshness.lag_seconds)
            if query.declaration.personal:
                self.seen(query, context.actor.name)
            return answer
        except (NotAllowed, Refused, TooStale, BeyondHead) as error:
            result, code = "refused", error.code
            raise
        except OperationalError as error:
            code = TimedOut.code
            elapsed = time.perf_counter() - started
            if elapsed < self._options.timeout:
                code = type(error).__name__
                raise
            raise TimedOut(query.declaration.label, self._options.timeout) from error
        except Exception as error:
            code = error.code if isinstance(error, BusError) else type(error).__name__
            raise
        finally:
            ms = (time.perf_counter() - started) * 1000
            self._count(name, result, ms, code)
            self._log.note(query, context.actor.name, result, ms, code)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """One of the queries that may run at once. Raises Busy."""
        if not self._slots.acquire(timeout=min(1.0, self._options.timeout)):
            raise Busy("questions")
        try:
            yield
        finally:
            self._slots.release()

    def side_by_side(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """The results of these calls, in order. Calls of one request that run queries are
        concurrent if the options allow it, otherwise sequential."""
        return side_by_side(calls, self._options.at_once)

    def authorise(self, query: type[Query], context: QueryContext) -> None:
        """Raise NotAllowed if the actor may not ask such a query. For callers that have not read
        its fields yet: permission is checked first."""
        declaration = query.declaration
        if self._options.authorise and not context.actor.may(declaration.permission):
            raise NotAllowed(declaration.label, declaration.permission)

    def _answer(self, query: Query, context: QueryContext) -> tuple[Answer[Any], str]:
        source = self._answers[type(query)]
        if isinstance(source, FromState):
            return self._from_state(query, source, context.actor), "strong"
        if isinstance(source, FromPast):
            return self._from_past(query, source, context), "strong"
        if context.strong:
            return self._strong(query, source.strong), "strong"
        reads = query.declaration.reads
        stale = context.seen is not None and not self.wait_until_shown(
            reads, context.seen, context.wait, context.actor.name
        )
        if query.declaration.store == "write":
            return self._from_write_store(query, stale, context), "uncached"
        rows = self._source(query, context)
        if query.declaration.cached and context.cached and self._options.caching:
            return self._cached(query, context.bounds, rows, stale)
        return self._from_rows(query, rows, stale), "uncached"

    def _source(self, query: Query, context: QueryContext) -> Source:
        """Where to read an answer that keeps the bounds. Waits for it up to `context.wait` seconds,
        unless too many requests are waiting already. Raises TooStale and BeyondHead."""
        bounds, label = context.bounds, query.declaration.label
        if not bounds.are_strict or not query.declaration.reads:
            return self._nearest(query, bounds)
        bounds.refuse_unknown(self._store.head())

        def look() -> tuple[Source | None, Freshness]:
            source = self._nearest(query, bounds)
            freshness = self._gauge.measure(source.reached)
            return (source if bounds.allow(freshness) else None), freshness

        def fresh_enough() -> Source | None:
            source, freshness = look()
            if source is None and not freshness.is_moving:
                raise bounds.shortfall(label, freshness)
            return source

        source = self._wait(fresh_enough, context.wait, context.actor.name)
        if source is None:
            raise bounds.shortfall(label, look()[1])
        return source

    def _wait(self, look: Callable[[], T | None], seconds: float, actor: str) -> T | None:
        """What `look` returns as soon as that is not None; None after so many seconds, or at once
        if too many requests are waiting already."""
        deadline = time.monotonic() + seconds
        found = look()
        if found is not None:
            return found
        with self._waits.turn(actor) as granted:
            while granted and found is None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                found = look()
        return found

    def _nearest(self, query: Query, bounds: Bounds) -> Source:
        """The replica, or the read store itself where the replica is behind the bounds. The cursors
        are read before the rows, which may then be newer than claimed, but never older."""
        reads = query.declaration.reads
        found = Source(self._query, self._cursors.reached(self._query, reads))
        if not self.has_replica or not reads:
            return found
        needed = max(bounds.min_position, bounds.not_before)
        positions = {each.projection: each.position for each in found.reached}
        is_behind = any(positions.get(name, 0) < needed for name in reads)
        if bounds.are_strict and not is_behind:
            is_behind = not bounds.allow(self._gauge.measure(found.reached))
        if is_behind:
            return Source(self._primary, self._cursors.reached(self._primary, reads))
        return found

    def _cached(
        self, query: Query, bounds: Bounds, source: Source, stale: bool
    ) -> tuple[Answer[Any], str]:
        reached, codec = source.reached, self._codecs[type(query)]
        key, parameters = self._key(query, reached)
        revisions = {each.projection: each.revision for each in reached}

        def kept(found: Kept) -> Answer[Any]:
            entry = found.entry
            freshness = self._gauge.measure(
                reached, held=entry.positions, revisions=entry.revisions, cached=True
            )
            return Answer(found.value, freshness, stale)

        found = self._cache.look_up(key, codec)
        if found and found.entry.revisions == revisions:
            return kept(found), "hit"
        if not self._cache.begin_flight(key):
            # Another request is computing this answer. Show the old one, with its age, or wait for
            # the new one.
            older = found or self._wait_for_flight(key, codec)
            if older and bounds.allow_entry(older.entry.positions, reached):
                answer = kept(older)
                if bounds.allow(answer.freshness):
                    return answer, "stale_hit" if found else "hit"
        value, after = self._read(query, source)
        if after == reached:
            name = type(query).__name__
            asked = Asked(name, parameters) if query.declaration.hot else None
            self._cache.store(key, _entry(reached, value), asked)
        return Answer(value, self._gauge.measure(after), stale), "miss"

    def _key(self, query: Query, reached: Sequence[Reached]) -> tuple[str, bytes]:
        """The key of the answer in the cache, and the parameters as JSON."""
        # Rows of another version of a projection, such as after a swap, may mean something else.
        versions = {each.projection: each.version for each in reached}
        shape = self._codecs[type(query)].shape + msgspec.json.encode(versions, order="sorted")
        parameters = msgspec.json.encode(query)
        return self._cache.key(type(query).__name__, shape, parameters), parameters

    def refresh(self, projections: Collection[str]) -> None:
        """Compute the answers to hot questions again that are kept, and older than these
        projections. One that fails is counted, and left out until somebody asks it again."""
        for cls in self._answers:
            if cls.declaration.hot and not set(cls.declaration.reads).isdisjoint(projections):
                for parameters in self._cache.asked(cls.__name__):
                    self._refresh_or_forget(cls, parameters)

    def _refresh_or_forget(self, cls: type[Query], parameters: bytes) -> None:
        name, started = cls.__name__, time.perf_counter()
        try:
            self._refresh(parse(cls, msgspec.json.decode(parameters)))
        except Exception as error:
            elapsed = time.perf_counter() - started
            if isinstance(error, DATABASE_TROUBLE) and elapsed < self._options.timeout:
                raise
            self._cache.forget_asked(Asked(name, parameters))
            result = "refused" if isinstance(error, Refused) else "failed"
            if result == "failed":
                # Without its parameters, which may be about a person.
                logger.warning("A kept question %s cannot be answered again", name, exc_info=error)
            code = error.code if isinstance(error, BusError) else type(error).__name__
            self._count(name, result, elapsed * 1000, code)

    def _refresh(self, query: Query) -> None:
        reads = query.declaration.reads
        source = Source(self._query, self._cursors.reached(self._query, reads))
        key, _ = self._key(query, source.reached)
        found = self._cache.look_up(key, self._codecs[type(query)])
        revisions = {each.projection: each.revision for each in source.reached}
        if not found or found.entry.revisions == revisions or not self._cache.begin_flight(key):
            return
        value, after = self._read(query, source)
        if after == source.reached:
            self._cache.replace(key, _entry(source.reached, value))

    def _wait_for_flight(self, key: str, codec: AnswerCodec) -> Kept | None:
        deadline = time.monotonic() + min(FLIGHT_WAIT_SECONDS, self._options.timeout)
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            found = self._cache.look_up(key, codec)
            if found or self._cache.is_down:
                return found
        return None

    def _from_write_store(self, query: Query, stale: bool, context: QueryContext) -> Answer[Any]:
        freshness, source = self._from_events(), self._answers[type(query)]
        by_reader = isinstance(source, Projected) and source.by_reader
        actor = {"reader": context.actor} if by_reader else {}
        with self._write.connect() as connection:
            value = source.handler(query, connection, **actor)
        reader = Reader(context.actor, self._rights, self._vault)
        return Answer(self._written(query, revealed(value, reader)), freshness, stale)

    def _from_rows(self, query: Query, source: Source, stale: bool) -> Answer[Any]:
        value, reached = self._read(query, source)
        return Answer(value, self._gauge.measure(reached), stale)

    def _read(self, query: Query, source: Source) -> tuple[Any, Sequence[Reached]]:
        """The value, and how far its projections are."""
        with source.engine.connect() as connection:
            value = self._answers[type(query)].handler(query, connection)
        return self._written(query, value), self._unless_exchanged(source)

    def _unless_exchanged(self, source: Source) -> Sequence[Reached]:
        """How far the projections are whose rows have just been read. Where rows of another release
        have been swapped in since the cursors were read, it is not known which were read, so the
        cursor is the one that does not fit this release."""
        names = [each.projection for each in source.reached]
        after = {each.projection: each for each in self._cursors.reached(source.engine, names)}

        def known(before: Reached) -> Reached:
            now = after[before.projection]
            is_other = now.version != before.version and not self._runner.fits(now)
            return now if is_other else before

        return [known(each) for each in source.reached]

    def _from_state(self, query: Query, source: FromState, actor: Actor) -> Answer[Any]:
        if source.allowed is not None and self._options.authorise:
            source.allowed(query, actor)
        freshness = self._from_events()
        stream = source.aggregate.stream_for(query)
        aggregate, head = self._repository.load(source.aggregate, stream)
        value = source.handler(query, aggregate, head.version)
        return Answer(self._written(query, value), freshness)

    def _from_past(self, query: Query, source: FromPast, context: QueryContext) -> Answer[Any]:
        reads = query.declaration.reads
        past = self._past if self._rights.sees_personal(context.actor) else self._concealed_past
        reader = {"reader": context.actor} if source.by_reader else {}
        try:
            if reads and not context.strong:
                rows = self._source(query, context)
                with rows.engine.connect() as connection:
                    value = source.handler(query, past, connection, **reader)
                freshness = self._gauge.measure(self._unless_exchanged(rows))
            else:
                freshness = self._from_events()
                value = source.handler(query, past, *(None for _ in reads[:1]), **reader)
        except UnknownEvent as error:
            sentence = f"{error} Nothing is lost: the release that wrote it can show it."
            raise Refused("cannot_be_folded", sentence) from error
        except UnreadableEvent as error:
            raise Refused("cannot_be_folded", f"{error} Choose an earlier version.") from error
        return Answer(self._written(query, value), freshness)

    def _strong(self, query: Query, strong: Strong | None) -> Answer[Any]:
        if strong is None:
            raise Refused("no_strong_answer", f"{query.declaration.label}: only as projected.")
        streams, rows = (strong.aggregate.stream_for(query), *strong.beside(query)), Rows()
        freshness = self._from_events()
        try:
            for name in query.declaration.reads:
                self._runner.fold(name, streams, rows)
            value = strong.handler(query, rows)
        except DATABASE_TROUBLE:
            raise
        except Exception as error:
            sentence = "An event of it cannot be applied. Nothing is lost: see parked events."
            raise Refused("cannot_be_folded", sentence) from error
        return Answer(self._written(query, value), freshness)

    def _written(self, query: Query, value: Any) -> Any:
        write = self._writers[type(query)]
        return write(value) if write else value

    def _from_events(self) -> Freshness:
        """The freshness of an answer read from the events next, which may be newer than claimed."""
        return self._gauge.current(self._store.head())

    def freshness_of(self, shown: Collection[str], position: int) -> tuple[Freshness, bool]:
        """How fresh an earlier answer is now, with the `shown` and `position` of its freshness, and
        whether a newer one can be had."""
        names = [each.partition(":")[0] for each in shown]
        return self._gauge.again(self._cursors.reached(self._query, names), shown, position)

    def wait_until_shown(
        self, reads: Iterable[str], seen: MinVersion, wait: float, actor: str
    ) -> bool:
        """Wait up to `wait` seconds until these projections include a write; returns whether they
        do. Does not wait if they never will, or if too many requests are waiting already."""
        names = tuple(reads)
        return bool(self._wait(lambda: self._shown(names, seen), wait, actor))

    def _shown(self, reads: Sequence[str], seen: MinVersion) -> bool | None:
        """Whether they include the write; None while it is still to come."""
        if seen.version == 0:
            return True
        position = self._store.position_of(seen.stream, seen.version)
        if position is None:
            committed = self._store.versions_of([seen.stream]).get(seen.stream, 0)
            return None if seen.version <= committed else False
        reached = self._cursors.reached(self._query, reads)
        if any(each.position < position for each in reached):
            return None
        head = self._store.head()
        if any(each.position > head for each in reached):
            return False  # they followed another log
        with self._query.connect() as connection:
            return not self._parking.holds(connection, reads, seen.stream)


def _entry(reached: Sequence[Reached], value: Any) -> Entry:
    """What is kept of an answer from projections at these cursors."""
    return Entry(
        {each.projection: each.position for each in reached},
        {each.projection: each.revision for each in reached},
        msgspec.Raw(msgspec.json.encode(value)),
    )
