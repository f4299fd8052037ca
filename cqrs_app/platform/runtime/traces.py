"""One command from the click until its last effect: its steps, and when each subscription was
done with its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.measurements.traces import StoredSpan, spans_of
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.queries.answers import Answering
from cqrs_app.kernel.store import LogEntry
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.kernel.tracing.spans import Kind, span_id_of, trace_id_of
from cqrs_app.kernel.tracing.tracer import in_queue
from cqrs_app.platform.runtime.causes import Link, chain_of
from cqrs_app.platform.runtime.command_log import entry_of, events_by
from cqrs_app.platform.runtime.commands import SEE_COMMANDS

NANOSECONDS = 1_000_000
"""In a millisecond."""
MOST_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """A span. `depth` is the number of spans above it, `started_ms` counts from the first one;
    `current` where it is the command that was asked about."""

    name: str
    kind: Kind
    process: str
    depth: int
    current: bool
    started_ms: float
    took_ms: float
    error: str
    attributes: dict[str, str | int | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceReached:
    """When a subscription had processed the command's events: it waited for its turn, then it took
    some time. All None where that was not recorded. `visible_ms` counts from the start."""

    subscription: str
    is_projection: bool
    waited_ms: float | None = None
    took_ms: float | None = None
    visible_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """`started_at` is when its request, or else the command, arrived. `visible_ms` counts from then
    until the last projection showed it, None unless all are known to."""

    command_id: str
    type: str
    stream: str
    outcome: str
    trace_id: str
    started_at: datetime
    took_ms: float | None
    visible_ms: float | None
    steps: tuple[TraceStep, ...]
    reached: tuple[TraceReached, ...]
    chain: tuple[Link, ...]


@query(label="Trace", permission=SEE_COMMANDS, store="write")
class GetTrace(Query):
    """The trace of a command with what caused it and what it caused, or nothing."""

    command_id: str


def get_trace(subscriptions: Sequence[Subscription]) -> Answering:
    def answer(question: GetTrace, connection: Connection) -> TraceView | None:
        entry = entry_of(question.command_id, connection)
        if entry is None:
            return None
        events = events_by(entry, connection)
        trace_id = trace_id_of(entry.correlation_id)
        spans = spans_of(connection, trace_id)
        began = _began(entry, spans)
        reached = tuple(_reached(subscriptions, events, spans, began))
        visible = [each.visible_ms for each in reached if each.is_projection]
        known = [each for each in visible if each is not None]
        return TraceView(
            command_id=entry.command_id,
            type=entry.type,
            stream=entry.stream,
            outcome=entry.outcome,
            trace_id=trace_id,
            started_at=datetime.fromtimestamp(began / 1e9, UTC),
            took_ms=entry.duration_ms,
            visible_ms=max(known) if known and len(known) == len(visible) else None,
            steps=tuple(_steps(spans, span_id_of(entry.command_id)))[:MOST_STEPS],
            reached=reached,
            chain=chain_of(entry, connection),
        )

    return answer


def _began(entry: LogEntry, spans: Sequence[StoredSpan]) -> int:
    """When the request that sent the command arrived, or else the command."""
    by_id = {each.span.span_id: each.span for each in spans}
    # A queued one has two: of accepting it and of carrying it out.
    for cause in (in_queue(entry.command_id), entry.command_id):
        if own := by_id.get(span_id_of(cause)):
            parent = by_id.get(own.parent_id)
            return parent.started if parent and parent.kind == "server" else own.started
    return int(entry.received_at.timestamp() * 1e9)


def _reached(
    subscriptions: Sequence[Subscription],
    events: Sequence[StoredEvent],
    spans: Sequence[StoredSpan],
    began: int,
) -> Iterator[TraceReached]:
    published = {span_id_of(event.id): event for event in events}
    processed = {
        each.span.attributes["messaging.destination.name"]: each.span
        for each in spans
        if each.span.kind == "consumer" and each.span.parent_id in published
    }
    for each in subscriptions:
        if not any(each.wants(event.type) for event in events):
            continue
        is_projection = isinstance(each, Projection)
        span = processed.get(each.name)
        if span is None:
            yield TraceReached(subscription=each.name, is_projection=is_projection)
            continue
        recorded = published[span.parent_id].recorded_at.timestamp() * 1e9
        yield TraceReached(
            subscription=each.name,
            is_projection=is_projection,
            waited_ms=max(span.started - recorded, 0) / NANOSECONDS,
            took_ms=span.duration / NANOSECONDS,
            visible_ms=(span.started + span.duration - began) / NANOSECONDS,
        )


def _steps(spans: Sequence[StoredSpan], current: str) -> Iterator[TraceStep]:
    """Each span followed by those below it. One whose parent is not there stands at the top."""
    known = {each.span.span_id for each in spans}
    below: dict[str, list[StoredSpan]] = defaultdict(list)
    for each in spans:
        parent = each.span.parent_id
        below[parent if parent in known and parent != each.span.span_id else ""].append(each)
    first = spans[0].span.started if spans else 0
    waiting = [(each, 0) for each in reversed(below[""])]
    while waiting:
        each, depth = waiting.pop()
        span = each.span
        waiting += [(child, depth + 1) for child in reversed(below.pop(span.span_id, []))]
        yield TraceStep(
            name=span.name,
            kind=span.kind,
            process=each.process,
            depth=depth,
            current=span.span_id == current,
            started_ms=(span.started - first) / NANOSECONDS,
            took_ms=span.duration / NANOSECONDS,
            error=span.error,
            attributes=span.attributes,
        )
