"""How fresh an answer has to be: the bounds of one question."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cqrs_app.kernel.errors import BeyondHead, TooStale
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.kernel.subscriptions.cursors import Reached

HIGHEST_POSITION = 2**53 - 1
"""The highest whole number that every reader of JSON keeps exactly."""

LONGEST_STALENESS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`min_position`: every event up to this position is included. `max_staleness`: the oldest
    event that is not included was recorded at most so many seconds ago. Parked events are left out
    of both. `not_before`: nothing is older than what the asker saw at this position; unlike the
    others, it decides only where the answer comes from."""

    min_position: int = 0
    max_staleness: float | None = None
    not_before: int = 0

    @property
    def are_strict(self) -> bool:
        """Whether an answer that does not keep them is refused."""
        return bool(self.min_position) or self.max_staleness is not None

    def allow(self, freshness: Freshness) -> bool:
        """Whether an answer of this freshness keeps the strict bounds."""
        if self.min_position and (freshness.foreign or freshness.position < self.min_position):
            return False
        return self.max_staleness is None or freshness.lag_seconds <= self.max_staleness

    def allow_entry(self, positions: Mapping[str, int], reached: Collection[Reached]) -> bool:
        """Whether an answer that was kept, from projections at these positions, is no older than
        what the asker saw."""
        return all(
            positions.get(each.projection, 0) >= min(each.position, self.not_before)
            for each in reached
        )

    def refuse_unknown(self, head: int) -> None:
        """Raise BeyondHead for a position that the log does not have."""
        if self.min_position > head:
            raise BeyondHead(self.min_position, head)

    def shortfall(self, label: str, freshness: Freshness) -> TooStale:
        """What an answer that does not keep the bounds lacks, as an error."""
        asked = []
        if self.min_position:
            asked.append(f"position {self.min_position}")
        if self.max_staleness is not None:
            asked.append(f"at most {self.max_staleness:g} seconds of lag")
        there = f"position {freshness.position}, {freshness.lag_seconds:.1f} seconds of lag"
        instead = (
            "Ask again in a moment, or without this bound."
            if freshness.is_moving
            else f"A read model is {freshness.state}: see System, or ask without this bound."
        )
        return TooStale(
            f"{label}: asked for {' and '.join(asked)}, the answer has {there}. {instead}",
            freshness.position,
            freshness.lag_seconds,
        )
