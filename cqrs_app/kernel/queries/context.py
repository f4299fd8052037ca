"""Who asks a query, how consistent the answer must be, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.fields import WHOLE_NUMBER
from cqrs_app.kernel.queries.bounds import Bounds
from cqrs_app.kernel.queries.freshness import Freshness

T = TypeVar("T")

UNBOUNDED = Bounds()
HIGHEST_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class MinVersion:
    """A write that the asker has made: the answer should include this version of this stream."""

    stream: str
    version: int

    @classmethod
    def from_text(cls, text: str) -> MinVersion:
        """Parse `order-10042:3`, as in URLs and on the command line. Raises ValueError."""
        stream, _, version = text.rpartition(":")
        if not stream or not stream.isprintable() or not WHOLE_NUMBER.fullmatch(version):
            raise ValueError("Write a stream and a version of it, such as order-10042:3.")
        return cls(stream, min(int(version), HIGHEST_VERSION))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContext:
    """Who asks, and how consistent the answer must be.

    By default the answer is eventually consistent. `seen`: wait up to `wait` seconds for the
    asker's own write, then answer anyway, marked stale. `bounds`: wait as long until the answer
    keeps them, then refuse to answer. `strong`: fold the events now. `cached` off: bypass the
    cache, for answers that are asked for only once.
    """

    actor: Actor
    seen: MinVersion | None = None
    wait: float = 0.0
    strong: bool = False
    cached: bool = True
    bounds: Bounds = UNBOUNDED


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """`stale`: the requested write is not included yet, or perhaps no event at all is."""

    value: T
    freshness: Freshness
    stale: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The answer with its freshness, as API and command line return it."""
        freshness = self.freshness
        return {
            "value": self.value,
            "as_of": freshness.as_of,
            "position": freshness.position,
            "lag_events": freshness.lag_events,
            "lag_seconds": round(freshness.lag_seconds, 3),
            "state": freshness.state,
            "parked": freshness.parked,
            "cached": freshness.cached,
            "stale": self.stale or freshness.foreign,
        }
