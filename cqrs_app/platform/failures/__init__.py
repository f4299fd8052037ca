"""Failures as objects: parked events, failed commands and deliveries, crashed jobs and pages,
grouped by cause, with a state that people decide on."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.kernel.queries.answers import from_past, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.failures import events, queries
from cqrs_app.platform.failures.as_test import FailureAsTest, SampleOf, failure_as_test
from cqrs_app.platform.failures.failed_commands import FailedCommands
from cqrs_app.platform.failures.failure import Failure, FailureStates, possible
from cqrs_app.platform.failures.retry import PreviewRetry, Previews
from cqrs_app.platform.failures.subscriptions import ReadStoreRetries, WriteStoreFailures


def failures_area(
    state_of: FailureStates,
    sample_of: SampleOf,
    tasks: Sequence[BackgroundTask] = (),
    failed_commands: FailedCommands | None = None,
) -> Area:
    """The area; `state_of` and `sample_of` read a stored failure. Without `failed_commands` only
    parked events are retried."""
    subscriptions = ReadStoreRetries(), WriteStoreFailures(failed_commands)
    previews = Previews(subscriptions, failed_commands)
    return Area(
        name="failures",
        aggregates=[Failure],
        events=events,
        subscriptions=subscriptions,
        tasks=tasks,
        answers={
            queries.ListFailures: projected(queries.list_failures),
            queries.GetFailure: projected(queries.get_failure),
            queries.CountFailures: projected(queries.count_failures),
            PreviewRetry: projected(previews.answer),
            FailureAsTest: from_past(failure_as_test(sample_of)),
        },
        middleware=[possible(state_of)],
        consequences=[previews.consequences],
    )
