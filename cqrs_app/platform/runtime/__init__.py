"""The on-call engineer's area: projections, parked events, the command log, processes, caches."""

from __future__ import annotations

from collections.abc import Iterable

from cqrs_app.kernel.registry import Area
from cqrs_app.platform.runtime import command_log, feed, figures, past, pending, status
from cqrs_app.platform.runtime.commands import (
    PauseProjection,
    ResumeProjection,
    RetryParkedEvents,
    SkipParkedEvent,
)
from cqrs_app.platform.runtime.events import (
    ParkedEventSkipped,
    ParkedEventsRetried,
    ProjectionPaused,
    ProjectionResumed,
)
from cqrs_app.platform.runtime.projection_control import ProjectionControl, known_projections
from cqrs_app.platform.runtime.projections import ControlProjection

_UNKNOWN = {"no_such_projection": "There is no projection of this name."}


def runtime_area(projections: Iterable[str]) -> Area:
    """The area that runs the given projections of the other areas."""
    return Area(
        name="runtime",
        handles={
            ProjectionControl: {
                PauseProjection: ProjectionControl.pause,
                ResumeProjection: ProjectionControl.resume,
                RetryParkedEvents: ProjectionControl.retry_parked,
                SkipParkedEvent: ProjectionControl.skip_parked,
            }
        },
        refusals={
            PauseProjection: _UNKNOWN | {"already_paused": "It is paused already."},
            ResumeProjection: _UNKNOWN | {"not_paused": "It is not paused."},
            RetryParkedEvents: _UNKNOWN,
            SkipParkedEvent: _UNKNOWN,
        },
        events=[ProjectionPaused, ProjectionResumed, ParkedEventsRetried, ParkedEventSkipped],
        projections=[ControlProjection()],
        answers={
            status.ProjectionStatus: status.projection_status,
            status.LogHead: status.log_head,
            status.ParkedStreams: status.parked_streams,
            status.ProcessList: status.process_list,
            figures.CommandFigures: figures.command_figures,
            figures.QueryFigures: figures.query_figures,
            command_log.ListCommands: command_log.list_commands,
            command_log.GetCommand: command_log.get_command,
            command_log.FailedToday: command_log.failed_today,
            pending.PendingWrites: pending.pending_writes,
            pending.RawEvents: pending.raw_events,
            pending.EventsSince: pending.events_since,
            feed.FollowEvents: feed.follow_events,
        },
        answers_from_past={
            past.StateAt: past.state_at,
            past.StateDifference: past.state_difference,
        },
        middleware=[known_projections(frozenset(projections))],
    )
