"""The spans that are going on in this thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType

from cqrs_app.kernel.tracing.spans import Caller, Span, traceparent_of


class Part:
    """What one process does for one trace in one go, such as a request. Its trace id is `settled`
    once a command has joined it, or if a caller gave it. It is `kept` by the console, and `sampled`
    if others should record what they do for it."""

    __slots__ = ("caller", "kept", "sampled", "settled", "spans", "trace_id")

    def __init__(self, trace_id: str, *, settled: bool, caller: Caller | None = None) -> None:
        self.trace_id = trace_id
        self.settled = settled
        self.caller = caller
        self.kept = self.sampled = False
        self.spans: list[Span] = []


current_span: ContextVar[tuple[Part, Span] | None] = ContextVar("current_span", default=None)


def current_trace_id() -> str:
    """The trace of the current request or command; empty if there is none, or not yet."""
    current = current_span.get()
    return current[0].trace_id if current and current[0].settled else ""


def current_caller() -> Caller | None:
    """The span of another system from which the current request comes."""
    current = current_span.get()
    return current[0].caller if current else None


class NoSpan:
    """Stands for a span where nothing is traced."""

    __slots__ = ()

    def __enter__(self) -> NoSpan:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, name: str, value: str | float) -> None:
        pass


NO_SPAN = NoSpan()


class LiveSpan:
    """A span that is going on. An exception that leaves it is its error."""

    __slots__ = ("_ended", "_part", "_token", "span")

    def __init__(self, part: Part, span: Span, ended: Callable[[Part], None] | None = None) -> None:
        self.span = span
        self._part = part
        self._ended = ended
        self._token: Token[tuple[Part, Span] | None] | None = None

    @property
    def trace_id(self) -> str:
        return self._part.trace_id

    @property
    def traceparent(self) -> str:
        """The header for a request that is part of this span."""
        return traceparent_of(self.trace_id, self.span.span_id, sampled=self._part.sampled)

    def __enter__(self) -> LiveSpan:
        self._token = current_span.set((self._part, self.span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.span.error = getattr(error, "code", "") or kind.__name__
        if self._token is not None:
            current_span.reset(self._token)
        self.span.duration = time.time_ns() - self.span.started
        self._part.spans.append(self.span)
        if self._ended is not None:
            self._ended(self._part)

    def note(self, name: str, value: str | float) -> None:
        """Add an attribute."""
        self.span.attributes[name] = value


AnySpan = LiveSpan | NoSpan
