"""The state of any stream at a version or a time, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.past import Moment, Past, Until
from cqrs_app.platform.runtime.commands import SEE_EVENTS, Stream

HIGHEST_VERSION = 2**31 - 1

Version = Annotated[
    int, Meta(title="Version", description="0: before the first event.", ge=0, le=HIGHEST_VERSION)
]
At = Annotated[
    datetime,
    Meta(title="Moment", description="When it happened, not when it was recorded.", tz=True),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateThen:
    """The state at a version: `state` has the aggregate's fields as plain values, empty at version
    0. `type`, `operator` and the times are those of the event that led to it. `newest` is the
    current version."""

    stream: str
    version: int
    newest: int
    type: str
    operator: str
    occurred_at: datetime | None
    recorded_at: datetime | None
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs. `path` leads to it; None stands for a missing value."""

    path: tuple[str, ...]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBetween:
    """One event between the two states. `fields` are its values, including those that no rule uses,
    such as an address."""

    version: int
    type: str
    operator: str
    occurred_at: datetime
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two states of a stream, every value that differs between them, and the events between them,
    at most the last 500."""

    before: StateThen
    after: StateThen
    changes: tuple[Change, ...]
    events: tuple[EventBetween, ...]


@query(label="State at a moment", permission=SEE_EVENTS, personal=True)
class StateAt(Query):
    """A stream's state after one of its events, or at a time. Without either, the current state."""

    stream: Stream
    version: Version | None = None
    at: At | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _not_both("at", self.version, self.at)


@query(label="Difference between two moments", permission=SEE_EVENTS, personal=True)
class StateDifference(Query):
    """What changed in a stream's state between two versions or times. By default, what the last
    event changed."""

    stream: Stream
    version: Annotated[Version | None, Meta(title="As of version")] = None
    at: Annotated[At | None, Meta(title="As of")] = None
    since_version: Annotated[Version | None, Meta(title="Compared with version")] = None
    since: Annotated[At | None, Meta(title="Compared with")] = None

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _not_both("at", self.version, self.at)
        yield from _not_both("since", self.since_version, self.since)


def state_at(question: StateAt, past: Past) -> StateThen | None:
    """None if there is no such stream."""
    moment = past.moment(question.stream, Until(version=question.version, at=question.at))
    return _then(question.stream, moment) if moment else None


def state_difference(question: StateDifference, past: Past) -> Difference | None:
    """None if there is no such stream."""
    after = past.moment(question.stream, Until(version=question.version, at=question.at))
    if after is None:
        return None
    version = question.since_version
    if version is None and question.since is None:
        version = max(after.version - 1, 0)
    before = past.moment(question.stream, Until(version=version, at=question.since))
    if before is None:
        return None
    earlier, later = _then(question.stream, before), _then(question.stream, after)
    first, last = sorted((before.version, after.version))
    between = tuple(map(_event, past.events(question.stream, first, last)))
    return Difference(earlier, later, tuple(changes(earlier.state, later.state)), between)


def changes(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[Change]:
    """Every value that differs, in the order of the fields, also inside objects and lists."""
    if before == after:
        return
    earlier, later = _parts(before), _parts(after)
    found = [
        change
        for name in dict.fromkeys([*earlier, *later])
        if _comparable(before, after)
        for change in changes(earlier.get(name), later.get(name), (*path, name))
    ]
    yield from found or [Change(path, before, after)]


def _comparable(before: Any, after: Any) -> bool:
    """Whether they can be compared part by part. A missing value has no parts."""
    return before is None or after is None or type(before) is type(after)


def _parts(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(number): each for number, each in enumerate(value, start=1)}
    return {}


def _event(recorded: Recorded) -> EventBetween:
    return EventBetween(
        version=recorded.version,
        type=recorded.stored.type,
        operator=recorded.stored.operator,
        occurred_at=recorded.occurred_at,
        fields=msgspec.to_builtins(recorded.event),
    )


def _then(stream: str, moment: Moment) -> StateThen:
    last = moment.last
    return StateThen(
        stream=stream,
        version=moment.version,
        newest=moment.newest,
        type=last.type if last else "",
        operator=last.operator if last else "",
        occurred_at=last.occurred_at if last else None,
        recorded_at=last.recorded_at if last else None,
        state=msgspec.to_builtins(moment.aggregate) if last else {},
    )


def _not_both(name: str, version: int | None, at: datetime | None) -> Iterator[tuple[str, str]]:
    if version is not None and at is not None:
        yield name, "Give a version or a moment, not both."
