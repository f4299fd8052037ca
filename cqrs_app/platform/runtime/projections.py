"""Carries out what was decided about projections, where their checkpoints live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.projections import checkpoints, parking
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.platform.runtime.events import (
    ParkedEventSkipped,
    ParkedEventsRetried,
    ProjectionPaused,
    ProjectionResumed,
)


class ControlProjection(Projection):
    """Its rows are the other projections' states, so pausing and releasing are exactly-once too."""

    name: ClassVar[str] = "projection_control"

    def take(
        self, connection: Connection, batch: Iterable[Recorded], runner: ProjectionRunner
    ) -> None:
        for recorded in batch:
            match recorded.event:
                case ProjectionPaused(projection=name):
                    checkpoints.set_state(connection, name, "paused")
                case ProjectionResumed(projection=name):
                    checkpoints.set_state(connection, name, "running")
                case ParkedEventsRetried(projection=name, stream=stream):
                    runner.release(connection, name, stream)
                case ParkedEventSkipped(projection=name, stream=stream):
                    waiting = parking.positions_of(connection, name, stream)
                    parking.forget(connection, name, waiting[:1])
                    runner.release(connection, name, stream)

    def projection_paused(self, event: ProjectionPaused, recorded: Recorded, rows: Rows) -> None:
        """Declares an interest; `take` does the work, as it does for the next three."""

    def projection_resumed(self, event: ProjectionResumed, recorded: Recorded, rows: Rows) -> None:
        """See projection_paused."""

    def parked_events_retried(
        self, event: ParkedEventsRetried, recorded: Recorded, rows: Rows
    ) -> None:
        """See projection_paused."""

    def parked_event_skipped(
        self, event: ParkedEventSkipped, recorded: Recorded, rows: Rows
    ) -> None:
        """See projection_paused."""
