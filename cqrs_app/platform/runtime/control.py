"""Carries out the control commands in the store that holds the subscription's cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.reconciliation.records import record
from cqrs_app.kernel.subscriptions.subscription import (
    Controls,
    GenerationOperation,
    Store,
    Subscription,
)
from cqrs_app.platform.runtime.events import (
    ComparisonRequested,
    GenerationDropped,
    ParkedEventSkipped,
    ParkedEventsRetried,
    ProjectionPaused,
    ProjectionRepairRequested,
    ProjectionResumed,
    ProjectionSwapped,
    ProjectionSwitchedBack,
    RebuildBesideStarted,
)

_STATES: tuple[type[Event], ...] = (ProjectionPaused, ProjectionResumed)
_RETRIES: tuple[type[Event], ...] = (ParkedEventsRetried, ParkedEventSkipped)
_GENERATIONS: tuple[type[Event], ...] = (
    RebuildBesideStarted,
    ComparisonRequested,
    ProjectionSwapped,
    ProjectionSwitchedBack,
    GenerationDropped,
    ProjectionRepairRequested,
)


class _StoreControl(Subscription):
    """One per store. Pausing and releasing commit together with this subscription's own cursor, so
    that each takes effect once."""

    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (*_STATES, *_RETRIES)
    once: ClassVar[frozenset[str]] = frozenset(each.__name__ for each in (*_RETRIES, *_GENERATIONS))

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._names = {each.name for each in subscriptions if each.store == self.store}

    def attach(self, control: Controls) -> None:
        self._control = control

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            self._carry_out(recorded.event, connection)

    def _carry_out(self, event: Event, connection: Connection) -> None:
        control = self._control
        match event:
            case ProjectionPaused(projection=name) if name in self._names:
                control.pause(connection, name)
            case ProjectionResumed(projection=name) if name in self._names:
                control.resume(connection, name)
            case ParkedEventsRetried(projection=name, stream=stream) if name in self._names:
                control.release(connection, name, stream)
            case ParkedEventSkipped(projection=name, stream=stream) if name in self._names:
                control.skip(connection, name, stream)


class ReadStoreControl(_StoreControl):
    """Also carries out what is done with the second generations of projections, and notes which
    projections are to be repaired. A read store that is filled anew takes over from the log which
    projections are paused, and repeats nothing else."""

    name: ClassVar[str] = "projection_control"
    store: ClassVar[Store] = "read"
    events: ClassVar[tuple[type[Event], ...] | None] = (
        *_STATES,
        *_RETRIES,
        *_GENERATIONS,
    )

    def is_projection(self, name: str) -> bool:
        return name in self._names

    def objection(self, operation: GenerationOperation, name: str, accepted: int) -> str | None:
        """Why this cannot be done with the second generation now, as a sentence."""
        return self._control.objection(operation, name, accepted)

    def _carry_out(self, event: Event, connection: Connection) -> None:
        control = self._control
        match event:
            case RebuildBesideStarted(projection=name) if name in self._names:
                control.begin_beside(connection, name)
            case ComparisonRequested(projection=name) if name in self._names:
                control.compare(connection, name)
            case ProjectionSwapped(projection=name, accepted_differences=accepted) if (
                name in self._names
            ):
                control.swap(connection, name, accepted)
            case ProjectionSwitchedBack(projection=name) if name in self._names:
                control.back(connection, name)
            case GenerationDropped(projection=name) if name in self._names:
                control.drop(connection, name)
            case ProjectionRepairRequested(projection=name, only=only) if name in self._names:
                record(connection, name, repair=only)
            case _:
                super()._carry_out(event, connection)


class WriteStoreControl(_StoreControl):
    name: ClassVar[str] = "subscription_control"
    store: ClassVar[Store] = "write"
