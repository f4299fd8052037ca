"""Security events: who did, saw or tried what, from where. Recorded in the log, listed, and sent to
other systems; and the seals of the logs, kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.kernel.commands.middleware import Middleware
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.audit import events, queries
from cqrs_app.platform.audit.projection import AuditProjection
from cqrs_app.platform.audit.subscription import QueueSecurityEvents
from cqrs_app.platform.audit.trail import RecordedSettings, SecurityTrail


def audit_area(
    middleware: Sequence[Middleware] = (),
    tasks: Sequence[BackgroundTask] = (),
    *,
    streams: bool = False,
) -> Area:
    """The area; `middleware` records sensitive commands. `streams`: events are sent on."""
    return Area(
        name="audit",
        aggregates=[SecurityTrail, RecordedSettings],
        events=events,
        projections=[AuditProjection()],
        subscriptions=[QueueSecurityEvents(enabled=streams)],
        tasks=tasks,
        answers={queries.ListSecurityEvents: projected(queries.list_security_events)},
        middleware=middleware,
    )
