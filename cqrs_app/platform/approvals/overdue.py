"""Requests that wait for a signature for too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Connection, Engine, case, func, or_, select

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import RequestState

LONGEST_WAIT = timedelta(hours=24)
"""Since it was requested."""
LEAST_LEFT = timedelta(hours=1)
"""Until it expires."""

_ROW = approval_requests.c


@dataclass(frozen=True, slots=True)
class Overdue:
    """Of the open requests, how many are overdue; `since` is when the first was requested."""

    open: int
    requests: int
    since: datetime | None


def overdue(connection: Connection, now: datetime) -> Overdue:
    """Overdue is what was requested LONGEST_WAIT ago, or expires within LEAST_LEFT."""
    late = or_(_ROW.asked_at <= now - LONGEST_WAIT, _ROW.due <= now + LEAST_LEFT)
    counted = select(
        func.count(),
        func.count(case((late, 1))),
        func.min(case((late, _ROW.asked_at))),
    ).where(_ROW.state == RequestState.OPEN)
    return Overdue(*connection.execute(counted).one())


def approval_metrics(write: Engine) -> Iterator[Metric]:
    """A family of metrics (see runtime/metrics.py), from the write store."""
    with reader_of(write).connect() as connection:
        found = overdue(connection, datetime.now(UTC))
    made = GaugeMetricFamily(
        "countersign_approval_requests", "Requests that wait for a signature", labels=["state"]
    )
    made.add_metric(["open"], found.open)
    made.add_metric(["overdue"], found.requests)
    yield made
