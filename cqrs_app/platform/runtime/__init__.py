"""The area of the on-call engineer: projections, parked events, the command log, processes,
caches."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from cqrs_app.kernel.events.recorded import UTC
from cqrs_app.kernel.queries.answers import from_past, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.runtime import (
    command_log,
    events,
    feed,
    figures,
    generations,
    past,
    pending,
    query_log,
    reconciliation,
    status,
    traces,
)
from cqrs_app.platform.runtime.control import ReadStoreControl, WriteStoreControl
from cqrs_app.platform.runtime.generation_rules import generation_rules
from cqrs_app.platform.runtime.projection_control import ProjectionControl, known_subscriptions
from cqrs_app.platform.runtime.statistics import queries as statistics


def runtime_area(
    subscriptions: Sequence[Subscription],
    zone: ZoneInfo = UTC,
    tasks: Sequence[BackgroundTask] = (),
) -> Area:
    """The area that controls these subscriptions of the other areas, including projections. `tasks`
    are those that depend on settings."""
    control = ReadStoreControl(subscriptions)
    return Area(
        name="runtime",
        aggregates=[ProjectionControl],
        events=events,
        subscriptions=[control, WriteStoreControl(subscriptions)],
        tasks=[generations.BuildGenerations(), *tasks],
        answers={
            status.ProjectionStatus: projected(status.projection_status),
            status.LogHead: projected(status.log_head),
            status.SubscriptionStatus: projected(status.subscription_status),
            status.ParkedStreams: projected(status.parked_streams),
            status.ParkedSubscriptionStreams: projected(status.parked_subscription_streams),
            status.ProcessList: projected(status.process_list),
            generations.GenerationList: projected(generations.generation_list),
            reconciliation.ReconciliationList: projected(reconciliation.reconciliation_list),
            figures.CommandFigures: projected(figures.command_figures),
            figures.QueryFigures: projected(figures.query_figures),
            statistics.ListStatistics: projected(statistics.list_statistics),
            statistics.StatisticHistory: projected(statistics.statistic_history),
            statistics.StoredNow: projected(statistics.stored_now),
            statistics.Slowest: projected(statistics.slowest),
            statistics.ListErrors: projected(statistics.list_errors),
            query_log.ListQueries: projected(query_log.list_queries),
            command_log.ListCommands: projected(command_log.list_commands(zone)),
            command_log.GetCommand: projected(command_log.get_command),
            traces.GetTrace: projected(traces.get_trace(subscriptions)),
            command_log.FailedToday: projected(command_log.failed_today(zone)),
            pending.PendingWrites: projected(pending.pending_writes),
            pending.DelayedCommands: projected(pending.delayed_commands),
            pending.RawEvents: projected(pending.raw_events),
            pending.EventsSince: projected(pending.events_since),
            feed.FollowEvents: projected(feed.follow_events),
            past.StateAt: from_past(past.state_at),
            past.StateDifference: from_past(past.state_difference),
        },
        middleware=[
            known_subscriptions(frozenset(each.name for each in subscriptions)),
            generation_rules(control),
        ],
    )
