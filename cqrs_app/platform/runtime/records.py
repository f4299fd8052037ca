"""Rows of the event log and the command log for programs, with their JSON as objects."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.store import LogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One row of the event log. `payload` has the shape in which it was stored; a damaged one is a
    text."""

    position: int | None
    stream: str
    version: int
    type: str
    schema: int
    payload: Any
    operator: str
    command_id: str
    correlation_id: str
    causation_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventName:
    """An event that a command wrote."""

    type: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """One row of the command log; `payload` has the command's fields."""

    command_id: str
    type: str
    stream: str
    payload: Any
    operator: str
    channel: str
    outcome: str
    attempts: int
    correlation_id: str
    received_at: datetime
    code: str | None
    sentence: str | None
    traceback: str | None
    version: int | None
    events: tuple[EventName, ...]
    expected_version: int | None
    causation_id: str | None
    occurred_at: datetime | None
    finished_at: datetime | None
    duration_ms: float | None


RECORDS = {StoredEvent: EventRecord, LogEntry: CommandRecord}
"""Row type -> what programs get instead."""


def shown(question: type[Query], value: Any) -> Any:
    """The answer for programs. Only queries on the write store answer with rows of the logs."""
    return _with_records(value) if question.declaration.store == "write" else value


def _with_records(value: Any) -> Any:
    """An answer with the rows of both logs, at any depth, replaced by their records."""
    if isinstance(value, StoredEvent):
        return _made(value, payload=_object(value.payload), hash=value.hash.hex())
    if isinstance(value, LogEntry):
        events = msgspec.json.decode(value.events, type=tuple[EventName, ...])
        return _made(value, payload=_object(value.payload), events=events)
    if isinstance(value, tuple):
        made = tuple(_with_records(each) for each in value)
        return value if all(map(_is_same, made, value)) else made
    if is_dataclass(value) and not isinstance(value, type):
        found = {each.name: getattr(value, each.name) for each in fields(value)}
        changed = {name: _with_records(each) for name, each in found.items()}
        changed = {name: each for name, each in changed.items() if each is not found[name]}
        return replace(value, **changed) if changed else value
    return value


def _is_same(made: Any, value: Any) -> bool:
    return made is value


def _made(row: StoredEvent | LogEntry, **changed: Any) -> Any:
    cls = RECORDS[type(row)]
    return cls(**{each.name: getattr(row, each.name) for each in fields(cls)} | changed)


def _object(payload: str) -> Any:
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload
