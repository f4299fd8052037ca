"""Where problems are found: those of System, and further ones of webhooks, failures, requests, the
machine and the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.distribution import merged
from cqrs_app.kernel.measurements.reading import latest
from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.store.deadlines import answered_within
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.alerts.tables import alert_tasks
from cqrs_app.platform.approvals.overdue import overdue
from cqrs_app.platform.failures.queries import open_by_kind
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.health import STORE_SECONDS
from cqrs_app.platform.runtime.problems import (
    OF_READ_STORE,
    OF_REDIS,
    Problem,
    in_words,
    measured,
)
from cqrs_app.platform.webhooks.queries import ListDeliveries, list_deliveries
from cqrs_app.platform.webhooks.read_models import webhooks

FEWEST_FOR_A_RATE = 20
"""Below so many in a minute, a share of failures says nothing."""
NOT_ROUTES = ("readyz", "healthz")
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of each problem, also below its limit; `unknown` are the kinds that nobody
    could look for."""

    problems: tuple[Problem, ...]
    unknown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Source:
    """Finds problems of these kinds."""

    kinds: frozenset[str]
    find: Callable[[Kernel], Iterable[Problem]]


class Sources:
    """Those of System, which are always looked at, and these."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def look(self, kernel: Kernel) -> Found:
        state = health.look(kernel)
        found = measured(kernel, state)
        unknown = set() if state.read_store else set(OF_READ_STORE)
        if not state.redis:
            unknown |= OF_REDIS
        for source in self._sources:
            try:
                with answered_within(STORE_SECONDS):
                    found += source.find(kernel)
            except DATABASE_TROUBLE:
                unknown |= source.kinds
        return Found(tuple(found), frozenset(unknown))

    def problems(self, kernel: Kernel) -> list[Problem]:
        """Those that have reached their limit, the worst first."""
        found = [each for each in self.look(kernel).problems if each.has_begun]
        return sorted(found, key=lambda each: each.level != "bad")


def of_webhooks(kernel: Kernel) -> Iterator[Problem]:
    """Webhooks that fail or are paused."""
    now = kernel.clock()
    with reader_of(kernel.engines.write).connect() as connection:
        cursors = [each.cursor for each in list_deliveries(ListDeliveries(), connection)]
    paused = [each.webhook_id for each in cursors if each.state == "paused"]
    reasons = _reasons(kernel, paused) if paused else {}
    for each in cursors:
        if each.state == "paused":
            reason = reasons.get(each.webhook_id, "")
            yield Problem(
                kind="webhook_paused",
                subject=each.webhook_id,
                level="warn",
                title=f"Webhook {each.webhook_id} is paused",
                cost="Its receiver gets nothing. Everything is kept for it.",
                since=None,
                remedy=reason or "Resume it once its receiver works.",
            )
        elif each.state == "running" and each.failing_since:
            yield Problem(
                kind="webhook_failing",
                subject=each.webhook_id,
                level="bad",
                title=f"Webhook {each.webhook_id} fails",
                cost="Its receiver gets nothing. Everything is kept for it.",
                since=each.failing_since,
                remedy="Its last attempts have what the receiver answered.",
                value=(now - each.failing_since).total_seconds(),
                limit=0,
            )


def _reasons(kernel: Kernel, webhook_ids: Sequence[str]) -> dict[str, str]:
    """Webhook -> why it is paused; nothing while the read store is down."""
    mine = select(webhooks.c.webhook_id, webhooks.c.pause_reason)
    try:
        with kernel.engines.query.connect() as connection:
            return dict(
                connection.execute(mine.where(webhooks.c.webhook_id.in_(webhook_ids))).all()
            )
    except DATABASE_TROUBLE:
        return {}


def of_failures(kernel: Kernel) -> Iterator[Problem]:
    """Open failures by kind."""
    with reader_of(kernel.engines.write).connect() as connection:
        counts = open_by_kind(connection, kernel.clock())
    for kind, count in counts.items():
        yield Problem(
            kind="open_failures",
            subject=kind,
            level="warn",
            title=f"{counted(count, 'open failure')} ({kind})",
            cost="Something failed unexpectedly, and nobody has looked into it.",
            since=None,
            remedy="Failures has the cause of each. Fix it, then resolve the failure.",
            value=count,
            # System has a panel of them.
            limit=float("inf"),
        )


def of_requests(kernel: Kernel) -> Iterator[Problem]:
    """The shares of requests and queries of the last minute that failed."""
    with reader_of(kernel.engines.write).connect() as connection:
        found = latest(connection, ("requests", "queries"), kernel.clock())
    requests = {key: each for key, each in found["requests"].items() if key[0] not in NOT_ROUTES}
    for kind, what, series, bad in (
        ("failed_requests", "requests", requests, "5xx"),
        ("failed_queries", "queries", found["queries"], "failed"),
    ):
        count = merged(series.values()).count
        failed = merged(each for key, each in series.items() if key[1] == bad).count
        if count >= FEWEST_FOR_A_RATE and failed:
            percent = 100 * failed / count
            yield Problem(
                kind=kind,
                level="bad",
                title=f"{percent:.0f}% of the {what} fail",
                cost="Operators see an error instead of a page.",
                since=None,
                remedy="Failures has the errors by their cause.",
                value=percent,
                limit=5,
            )


def of_reconciliation(kernel: Kernel) -> Iterator[Problem]:
    """Read models that were not compared with the log for long."""
    now = kernel.clock()
    for name, each in kernel.reconciler.records().items():
        if each.compared_at:
            age = (now - each.compared_at).total_seconds()
            yield Problem(
                kind="not_reconciled",
                subject=name,
                level="warn",
                title=f"{in_words(name).capitalize()} was not compared with the log for "
                f"{counted(round(age / DAY_SECONDS), 'day')}",
                cost="A wrong row would go unnoticed.",
                since=each.compared_at,
                remedy="Compare now with `flask reconcile`, and see why it did not run.",
                value=age,
                limit=2 * DAY_SECONDS,
            )


def of_approvals(kernel: Kernel) -> Iterator[Problem]:
    """Requests whose signatures are overdue."""
    with reader_of(kernel.engines.write).connect() as connection:
        found = overdue(connection, kernel.clock())
    if found.requests:
        waits = "request waits" if found.requests == 1 else "requests wait"
        yield Problem(
            kind="signatures_overdue",
            level="warn",
            title=f"{found.requests:,} {waits} too long for a signature",
            cost="Nothing of them is carried out until somebody signs. They expire by themselves.",
            since=found.since,
            remedy="Approvals lists them, with who may sign.",
            value=found.requests,
            # Approvals has them.
            limit=float("inf"),
        )


def sent_outside(tasks: Mapping[str, str]) -> Source:
    """Finds which of these tasks cannot send, or write where it is kept, what they should: task ->
    what that is."""
    row = alert_tasks.c
    failing = select(row.name, row.error, row.done_at).where(
        row.name.in_([*tasks]), row.error != ""
    )

    def find(kernel: Kernel) -> Iterator[Problem]:
        with reader_of(kernel.engines.write).connect() as connection:
            for task in connection.execute(failing):
                yield Problem(
                    kind="audit_not_sent",
                    subject=task.name,
                    level="warn",
                    title=f"{tasks[task.name]} are not sent",
                    cost="Where they should be kept, the newest are missing. They are sent later.",
                    since=task.done_at,
                    remedy=task.error,
                )

    return Source(frozenset({"audit_not_sent"}), find)


STORED = (
    Source(frozenset({"webhook_failing", "webhook_paused"}), of_webhooks),
    Source(frozenset({"open_failures"}), of_failures),
    Source(frozenset({"failed_requests", "failed_queries"}), of_requests),
    Source(frozenset({"signatures_overdue"}), of_approvals),
)
RECONCILIATION = Source(frozenset({"not_reconciled"}), of_reconciliation)
