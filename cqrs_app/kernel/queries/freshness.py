"""How fresh an answer is. Every panel shows it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.tables import events
from cqrs_app.kernel.subscriptions.cursors import Reached


@dataclass(frozen=True, slots=True)
class Freshness:
    """`as_of`: the answer includes everything recorded up to this moment, except parked events.
    `position`: that of the last event included. A commit in progress may still move `as_of` back.

    `lag_events` counts the committed events not included, `lag_seconds` is the age of the oldest of
    them. `state`: current, behind, stale, paused, rebuilding, failed. `shown` names the projections
    and their revisions, to ask again later how fresh the same answer is. `foreign`: a projection
    followed another log, so the answer is not known to include any event of this one.
    `furthest`: the position of the last event that any of the projections includes.
    """

    as_of: datetime
    position: int
    lag_events: int
    lag_seconds: float
    state: str
    parked: int = 0
    cached: bool = False
    shown: tuple[str, ...] = ()
    foreign: bool = False
    furthest: int = 0

    @property
    def is_moving(self) -> bool:
        """Whether missing events will be included without anybody resuming or repairing the
        projection."""
        return self.state not in ("paused", "failed")


class FreshnessGauge:
    """An answer is behind above `amber` seconds of lag, and stale above `red`. `fits` says whether
    rows are those that this release makes."""

    def __init__(
        self,
        store: EventStore,
        fits: Callable[[Reached], bool] = lambda reached: True,
        *,
        amber: float,
        red: float,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._fits = fits
        self._amber = amber
        self._red = red
        self._clock = clock or utc_now

    def measure(
        self,
        reached: Collection[Reached],
        *,
        held: dict[str, int] | None = None,
        revisions: dict[str, int] | None = None,
        cached: bool = False,
    ) -> Freshness:
        """The freshness of an answer from projections at these cursors; `held` and `revisions` are
        those it was made from, if that was earlier."""
        now = self._clock()
        if not reached:
            return Freshness(now, 0, 0, 0.0, "current", cached=cached)
        made_of = revisions or {each.projection: each.revision for each in reached}
        positions = held or {each.projection: each.position for each in reached}
        position, head = min(positions.values()), self._store.head()
        # A projection beyond the end of the log followed another log: see SubscriptionRunner.
        foreign = any(each.position > head for each in reached)
        included = 0 if foreign else position
        lag = max(head - included, 0)
        first_missing = self._store.recorded_after(included) if lag else None
        as_of = min(first_missing or now, now)
        seconds = (now - as_of).total_seconds()
        states = {"failed"} if foreign else {self._state_of(each) for each in reached}
        return Freshness(
            as_of=as_of,
            position=position,
            lag_events=lag,
            lag_seconds=seconds,
            state=self._state(states, lag, seconds),
            parked=sum(each.parked for each in reached),
            cached=cached,
            shown=tuple(f"{name}:{revision}" for name, revision in made_of.items()),
            foreign=foreign,
            furthest=max(positions.values()),
        )

    def again(
        self, reached: Collection[Reached], shown: Collection[str], position: int
    ) -> tuple[Freshness, bool]:
        """The freshness now of an answer given earlier, and whether a newer one can be had: then
        `as_of` is that of the earlier answer, the state that of the projections."""
        now = self.measure(reached)
        if set(now.shown) <= set(shown):
            return now, False
        held = self.measure(reached, held={each.projection: position for each in reached})
        return replace(now, as_of=held.as_of, position=position, shown=tuple(shown)), True

    def current(self, position: int) -> Freshness:
        """The freshness of an answer that is folded from the events themselves."""
        return Freshness(self._clock(), position, 0, 0.0, "current")

    def _state_of(self, reached: Reached) -> str:
        """Rows that another release made may not mean what this one reads in them."""
        return reached.state if reached.state != "running" or self._fits(reached) else "failed"

    def _state(self, states: set[str], lag: int, seconds: float) -> str:
        for state in ("failed", "rebuilding", "paused"):
            if state in states:
                return state
        if not lag or seconds < self._amber:
            return "current"
        return "behind" if seconds < self._red else "stale"


@dataclass(frozen=True, slots=True)
class Lag:
    """`events` are not processed yet; `waiting_since` is when the first of them was recorded, None
    if there are none."""

    events: int
    waiting_since: datetime | None


def head_of(connection: Connection) -> int:
    """The number of committed events, including those without a position."""
    placed = select(func.coalesce(func.max(events.c.position), 0)).scalar_subquery()
    unplaced = select(func.count()).where(events.c.position.is_(None)).scalar_subquery()
    return int(connection.execute(select(placed + unplaced)).scalar_one())


def lag_after(connection: Connection, position: int, head: int) -> Lag:
    """The lag of a consumer that has processed everything up to `position`."""
    behind = max(head - position, 0)
    if not behind:
        return Lag(0, None)
    placed = select(events.c.recorded_at).where(events.c.position > position)
    unplaced = select(events.c.recorded_at).where(events.c.position.is_(None))
    first = connection.execute(placed.order_by(events.c.position).limit(1)).scalar()
    return Lag(
        behind, first or connection.execute(unplaced.order_by(events.c.id).limit(1)).scalar()
    )
