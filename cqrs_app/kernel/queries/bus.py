"""The query bus: every question is answered here, and says how fresh its answer is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.commands.middleware import Count
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import BusError, Busy, NotAllowed, Refused, TimedOut
from cqrs_app.kernel.events.recorded import UnknownEvent
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.privacy.revealing import revealed
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections import checkpoints
from cqrs_app.kernel.projections.parking import DATABASE_TROUBLE
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.queries.cache import Entry, QueryCache
from cqrs_app.kernel.queries.context import Answer, Asker, Seen
from cqrs_app.kernel.queries.freshness import Freshness, FreshnessGauge
from cqrs_app.kernel.queries.past import Past
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import reader_of

POLL_SECONDS = 0.02
FLIGHT_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOptions:
    """The knobs of the bus; settings.py and docs/settings.md say what each means."""

    side_by_side: bool = False
    authorise: bool = True
    caching: bool = True
    timeout: float = 10.0
    max_concurrent: int = 200


QueryMiddleware = Callable[[Query, Asker, Callable[[], Answer[Any]]], Answer[Any]]


class QueryBus:
    """`engines`: "read" and "write", both only to be read.

    `count` is told (query name, result, milliseconds) of each answer; the result is hit,
    stale_hit, miss, uncached, strong, refused or failed.
    """

    def __init__(
        self,
        registry: Registry,
        engines: Mapping[str, Engine],
        store: EventStore,
        runner: ProjectionRunner,
        gauge: FreshnessGauge,
        cache: QueryCache,
        vault: Vault,
        options: QueryOptions,
        *,
        count: Count,
    ) -> None:
        self._registry = registry
        self._write = reader_of(engines["write"])
        self._read = reader_of(engines["read"])
        self._store = store
        self._repository = Repository(store, registry.codec)
        self._past = Past(registry, store)
        self._runner = runner
        self._gauge = gauge
        self._cache = cache
        self._vault = vault
        self._options = options
        self._count = count
        self._slots = threading.BoundedSemaphore(max(1, options.max_concurrent))
        self._decoders = {
            query: msgspec.json.Decoder(get_type_hints(handler)["return"])
            for query, handler in registry.answers.items()
            if query.declaration.cached
        }
        self._middleware: tuple[QueryMiddleware, ...] = tuple(
            each for area in registry.areas for each in area.query_middleware
        )

    def ask(self, query: Query, asker: Asker) -> Answer[Any]:
        """Answer one question. Raises NotAllowed, Busy, TimedOut, or the handler's Refused."""
        name, started = type(query).__name__, time.perf_counter()
        result = "failed"
        try:
            self._authorise(query, asker)
            if not self._slots.acquire(timeout=min(1.0, self._options.timeout)):
                raise Busy("questions")
            try:
                answer, result = self._through(query, asker)
            finally:
                self._slots.release()
            return answer
        except (NotAllowed, Refused):
            result = "refused"
            raise
        except OperationalError as error:
            elapsed = time.perf_counter() - started
            if elapsed < self._options.timeout:
                raise
            raise TimedOut(query.declaration.label, self._options.timeout) from error
        finally:
            self._count(name, result, (time.perf_counter() - started) * 1000)

    def ask_batch(self, questions: Sequence[tuple[Query, Asker]]) -> list[Answer[Any] | BusError]:
        """Answers in the order of the questions; one that fails is its error."""
        if not self._options.side_by_side or len(questions) < 2:
            return [self._answer_or_error(*question) for question in questions]
        with ThreadPoolExecutor(max_workers=min(8, len(questions))) as pool:
            return list(pool.map(lambda question: self._answer_or_error(*question), questions))

    def _answer_or_error(self, query: Query, asker: Asker) -> Answer[Any] | BusError:
        try:
            return self.ask(query, asker)
        except BusError as error:
            return error

    def _authorise(self, query: Query, asker: Asker) -> None:
        declaration = query.declaration
        if self._options.authorise and not asker.actor.may(declaration.permission):
            raise NotAllowed(declaration.label, declaration.permission)

    def _through(self, query: Query, asker: Asker) -> tuple[Answer[Any], str]:
        results: list[str] = []

        def innermost() -> Answer[Any]:
            answer, result = self._answer(query, asker)
            results.append(result)
            return answer

        proceed = innermost
        for each in reversed(self._middleware):
            proceed = _around(each, query, asker, proceed)
        return proceed(), results[-1] if results else "uncached"

    def _answer(self, query: Query, asker: Asker) -> tuple[Answer[Any], str]:
        if type(query) in self._registry.answers_from_state:
            return self._from_state(query), "strong"
        if type(query) in self._registry.answers_from_past:
            return self._from_past(query), "strong"
        if asker.strong:
            return self._strong(query), "strong"
        reads = query.declaration.reads
        stale = asker.seen is not None and not self.wait_until_shown(reads, asker.seen, asker.wait)
        if not (query.declaration.cached and asker.cached and self._options.caching):
            return self._fresh(query, stale)[0], "uncached"
        return self._cached(query, stale)

    def _cached(self, query: Query, stale: bool) -> tuple[Answer[Any], str]:
        reads = query.declaration.reads
        key = self._cache.key(type(query).__name__, msgspec.json.encode(query))
        entry, current = self._cache.look_up(key, reads)
        if entry and current:
            return self._from_entry(query, entry, stale), "hit"
        if not self._cache.take_off(key):
            # Somebody computes this answer already: the old one is shown, with its age, or
            # theirs is waited for.
            if entry:
                return self._from_entry(query, entry, stale), "stale_hit"
            landed = self._wait_for_flight(key, reads)
            if landed:
                return self._from_entry(query, landed, stale), "hit"
        answer, positions = self._fresh(query, stale)
        value = msgspec.Raw(msgspec.json.encode(answer.value))
        self._cache.store(key, Entry(positions, value))
        return answer, "miss"

    def _wait_for_flight(self, key: str, reads: Sequence[str]) -> Entry | None:
        deadline = time.monotonic() + min(FLIGHT_WAIT_SECONDS, self._options.timeout)
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            entry, _ = self._cache.look_up(key, reads)
            if entry or self._cache.away:
                return entry
        return None

    def _from_entry(self, query: Query, entry: Entry, stale: bool) -> Answer[Any]:
        value = self._decoders[type(query)].decode(entry.value)
        standing = checkpoints.reached(self._read, query.declaration.reads)
        freshness = self._gauge.measure(standing, held=entry.positions, cached=True)
        return Answer(value, freshness, stale)

    def _fresh(self, query: Query, stale: bool) -> tuple[Answer[Any], dict[str, int]]:
        handler, reads = self._registry.answers[type(query)], query.declaration.reads
        if query.declaration.store == "write":
            freshness = self._from_events()
            with self._write.connect() as connection:
                value = handler(query, connection)
            return Answer(revealed(value, self._vault), freshness, stale), {}
        # Read before the rows: they may then hold more than is claimed, never less.
        standing = checkpoints.reached(self._read, reads)
        with self._read.connect() as connection:
            value = handler(query, connection)
        positions = {each.projection: each.position for each in standing}
        return Answer(value, self._gauge.measure(standing), stale), positions

    def _from_state(self, query: Query) -> Answer[Any]:
        freshness = self._from_events()
        source = self._registry.answers_from_state[type(query)]
        stream = source.aggregate.stream_of(source.identity(query))
        aggregate, head = self._repository.load(source.aggregate, stream)
        return Answer(source.handler(query, aggregate, head.version), freshness)

    def _from_past(self, query: Query) -> Answer[Any]:
        freshness = self._from_events()
        try:
            value = self._registry.answers_from_past[type(query)](query, self._past)
        except UnknownEvent as error:
            sentence = f"{error} Nothing is lost: the release that wrote it can show it."
            raise Refused("cannot_be_folded", sentence) from error
        return Answer(value, freshness)

    def _strong(self, query: Query) -> Answer[Any]:
        strong = self._registry.answers_strongly.get(type(query))
        if strong is None:
            raise Refused("no_strong_answer", f"{query.declaration.label}: only as projected.")
        stream, rows = strong.stream(query), Rows()
        freshness = self._from_events()
        try:
            for name in query.declaration.reads:
                self._runner.fold(name, stream, rows)
            value = strong.handler(query, rows)
        except DATABASE_TROUBLE:
            raise
        except Exception as error:
            sentence = "An event of it cannot be applied. Nothing is lost: see parked events."
            raise Refused("cannot_be_folded", sentence) from error
        return Answer(value, freshness)

    def _from_events(self) -> Freshness:
        """Of an answer that is made of the events next: it may hold more than is claimed."""
        return self._gauge.current(self._store.head())

    def wait_until_shown(self, reads: Iterable[str], seen: Seen, wait: float) -> bool:
        """Whether these projections hold a write, waiting up to `wait` seconds until they do."""
        names = tuple(reads)
        deadline = time.monotonic() + wait
        while True:
            if self._holds(names, seen):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)

    def _holds(self, reads: Sequence[str], seen: Seen) -> bool:
        position = self._store.position_of(seen.stream, seen.version)
        if position is None:
            return False
        if any(each.position < position for each in checkpoints.reached(self._read, reads)):
            return False
        with self._read.connect() as connection:
            return not checkpoints.is_parked(connection, reads, seen.stream)


def _around(
    middleware: QueryMiddleware, query: Query, asker: Asker, proceed: Callable[[], Answer[Any]]
) -> Callable[[], Answer[Any]]:
    return lambda: middleware(query, asker, proceed)
