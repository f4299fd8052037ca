"""Spans and their ids, with the names of OpenTelemetry and of W3C Trace Context.

A trace id is made from a correlation id, and the span ids of commands and events from their ids. So
every process that knows an event knows where its spans belong, and no job has to carry that.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Literal

import msgspec

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = dict[str, str | int | float | bool]

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_INVALID = ("0" * 32, "0" * 16)


class Span(msgspec.Struct, array_like=True):
    """One step of a trace. `started` and `duration` are nanoseconds, since 1970 and in length."""

    span_id: str
    parent_id: str
    name: str
    kind: Kind
    started: int
    duration: int = 0
    attributes: Attributes = {}
    error: str = ""


class Caller(msgspec.Struct, frozen=True):
    """The span, of another system, that a request comes from."""

    trace_id: str
    span_id: str


def caller_of(traceparent: str) -> Caller | None:
    """From the header of a request (https://www.w3.org/TR/trace-context/#traceparent-header); None
    where it has no usable one."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    if found[2] == _INVALID[0] or found[3] == _INVALID[1]:
        return None
    return Caller(found[2], found[3])


def traceparent_of(trace_id: str, span_id: str, *, sampled: bool) -> str:
    return f"00-{trace_id}-{span_id}-{int(sampled):02d}"


def trace_id_of(correlation_id: str) -> str:
    """The trace of everything that has this correlation id. A trace id, given by a caller, is one
    itself."""
    if _TRACE_ID.fullmatch(correlation_id):
        return correlation_id
    # Hashed, since samplers need the last bits to be random, and those of a UUID are not all.
    return hashlib.sha256(correlation_id.encode()).hexdigest()[:32]


def span_id_of(cause: str) -> str:
    """The span of a command or an event, by its id. A span id, given by a caller, is one itself."""
    if _SPAN_ID.fullmatch(cause):
        return cause
    return hashlib.sha256(cause.encode()).hexdigest()[:16]


def new_trace_id() -> str:
    return secrets.token_hex(16)


def new_span_id() -> str:
    return secrets.token_hex(8)
