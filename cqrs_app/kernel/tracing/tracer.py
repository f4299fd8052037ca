"""Makes spans. Where nothing is traced, each costs one look at a context variable."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from cqrs_app.kernel.tracing.live import NO_SPAN, AnySpan, LiveSpan, Part, current_span
from cqrs_app.kernel.tracing.sampler import Sampler
from cqrs_app.kernel.tracing.spans import (
    Attributes,
    Caller,
    Kind,
    Span,
    new_span_id,
    new_trace_id,
    span_id_of,
    trace_id_of,
)

PER_SECOND = 5
"""Traces that a process, and each subscription in it, keeps completely."""

MOST_PER_BATCH = 100
"""Events of a batch that are looked at for traces to keep."""

Finished = Callable[[str, Sequence[Span]], None]
"""Takes finished spans of a trace. It returns at once and never raises."""


class Traced(Protocol):
    """An event, as far as a trace is concerned."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def correlation_id(self) -> str: ...
    @property
    def command_id(self) -> str: ...


class Bookmark(NamedTuple):
    """A span that is to have another one below it later, made by another thread."""

    part: Part
    span_id: str


class Tracer:
    """One per kernel. `keep` receives the spans of the traces that the console keeps, and `export`
    those of all, if they are sent elsewhere."""

    def __init__(self, keep: Finished | None = None, export: Finished | None = None) -> None:
        self._keep = keep
        self._export = export
        self._sampled = Sampler(PER_SECOND)
        self._sampled_by: dict[str, Sampler] = defaultdict(lambda: Sampler(PER_SECOND))

    def request(self, caller: Caller | None, *, settled: bool) -> LiveSpan:
        """The span of a request that the console receives. The first command that it sends decides
        about the trace, unless that is `settled` or the caller has one."""
        trace_id = caller.trace_id if caller else new_trace_id()
        part = Part(trace_id, settled=settled or caller is not None, caller=caller)
        return self._root(part, "request", "server", caller.span_id if caller else "")

    def command(
        self, name: str, command_id: str, correlation_id: str, causation_id: str | None
    ) -> AnySpan:
        """The span of a command; below that of the request, if it belongs to the same trace."""
        current = current_span.get()
        if current is None and not self._wants(correlation_id):
            return NO_SPAN
        trace_id, span_id = trace_id_of(correlation_id), span_id_of(command_id)
        if current is not None:
            part, parent = current
            if not part.settled:
                part.trace_id, part.settled = trace_id, True
            if part.trace_id == trace_id:
                part.kept = part.kept or self._sampled(correlation_id)
                return LiveSpan(part, _started(span_id, parent.span_id, name, "internal"))
        part = Part(trace_id, settled=True)
        part.kept = current is None or self._sampled(correlation_id)
        parent_id = span_id_of(causation_id) if causation_id else ""
        return self._root(part, name, "internal", parent_id, span_id)

    def queued(self, name: str, command_id: str, correlation_id: str) -> AnySpan:
        """The span of accepting a command that is carried out later, below it."""
        return self.command(f"queue {name}", in_queue(command_id), correlation_id, None)

    def step(self, name: str, kind: Kind = "internal") -> AnySpan:
        """A span below the current one, if there is one."""
        current = current_span.get()
        if current is None:
            return NO_SPAN
        part, parent = current
        return LiveSpan(part, _started(new_span_id(), parent.span_id, name, kind))

    def published(self, events: Iterable[Traced]) -> None:
        """Add a span for each event that the current command has written."""
        current = current_span.get()
        if current is None:
            return
        part, parent = current
        for event in events:
            name = f"publish {event.type}"
            part.spans.append(_started(span_id_of(event.id), parent.span_id, name, "producer"))

    def outgoing(self, name: str, event: Traced) -> LiveSpan:
        """The span of a request to another system that was caused by an event."""
        part = Part(trace_id_of(event.correlation_id), settled=True)
        part.kept = self._sampled_by[name](event.correlation_id)
        part.sampled = part.kept or self._export is not None
        return self._root(part, name, "client", span_id_of(event.id))

    def processed(
        self, subscription: str, events: Sequence[Traced], started: int, since: datetime
    ) -> None:
        """Add a span for each command whose events a subscription has just processed. Events from
        before `since` are left out: it is catching up."""
        sampled, exporting = self._sampled_by[subscription], self._export is not None
        seen: set[str] = set()
        ended = time.time_ns()
        for event in events if exporting else events[:MOST_PER_BATCH]:
            if event.command_id in seen or event.recorded_at < since:
                continue
            seen.add(event.command_id)
            kept = sampled(event.correlation_id)
            if not kept and not exporting:
                continue
            part = Part(trace_id_of(event.correlation_id), settled=True)
            part.kept = kept
            attributes: Attributes = {
                "messaging.operation.type": "process",
                "messaging.destination.name": subscription,
                "messaging.batch.message_count": len(events),
            }
            name = f"process {subscription}"
            parent_id = span_id_of(event.id)
            part.spans.append(
                Span(
                    new_span_id(), parent_id, name, "consumer", started, ended - started, attributes
                )
            )
            self._finish(part)

    def bookmark(self) -> Bookmark | None:
        """The current span, if what comes later is to be added to its trace."""
        current = current_span.get()
        if current is None or not (current[0].kept or self._export):
            return None
        return Bookmark(current[0], current[1].span_id)

    def later(self, bookmark: Bookmark, name: str, kind: Kind, started: int) -> None:
        """Add a span below a bookmark, which ends now."""
        part = Part(bookmark.part.trace_id, settled=True)
        part.kept = bookmark.part.kept
        span = _started(new_span_id(), bookmark.span_id, name, kind)
        span.started, span.duration = started, span.started - started
        part.spans.append(span)
        self._finish(part)

    def _wants(self, correlation_id: str) -> bool:
        return self._sampled(correlation_id) or self._export is not None

    def _root(
        self, part: Part, name: str, kind: Kind, parent_id: str, span_id: str = ""
    ) -> LiveSpan:
        span = _started(span_id or new_span_id(), parent_id, name, kind)
        return LiveSpan(part, span, self._finish)

    def _finish(self, part: Part) -> None:
        if part.kept and self._keep is not None:
            self._keep(part.trace_id, part.spans)
        if self._export is not None:
            self._export(part.trace_id, part.spans)


def in_queue(command_id: str) -> str:
    """What stands for a command in the queue, as the cause of the same when it is carried out."""
    return f"queue {command_id}"


def _started(span_id: str, parent_id: str, name: str, kind: Kind) -> Span:
    return Span(span_id, parent_id, name, kind, time.time_ns(), attributes={})
