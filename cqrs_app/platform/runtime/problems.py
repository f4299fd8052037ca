"""What is wrong with the console: what it costs the shop, since when, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, func, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.reconciliation.records import Reconciliation
from cqrs_app.kernel.store.deadlines import answered_within
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import command_log, parked_events, subscription_parked
from cqrs_app.kernel.subscriptions.cursors import Cursor
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.platform.runtime.health import STORE_SECONDS, Health
from cqrs_app.platform.runtime.statistics.history import since

Level = Literal["bad", "warn"]
LATELY = timedelta(hours=1)
MOST_NAMED = 4
WAITS_TOO_LONG = timedelta(seconds=60)

_LOG = command_log.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`kind` is a name for programs; `subject` what it is about, such as a subscription. `since` is
    None where nobody knows. `remedy` says what to do. It is one from `limit` on: `value` is how
    much there is of it, in the unit of its kind."""

    kind: str
    subject: str = ""
    level: Level
    title: str
    cost: str
    since: datetime | None
    remedy: str
    value: float = 1.0
    limit: float = 1.0
    falls: bool = False
    """Whether less of it is worse."""

    @property
    def has_begun(self) -> bool:
        return self.value <= self.limit if self.falls else self.value >= self.limit


@dataclass(frozen=True, slots=True)
class Follower:
    """A subscription and how far it is behind; `parked_since` is when its first parked event was
    parked. `feeds` names what shows its rows."""

    cursor: Cursor
    feeds: str
    lag_events: int
    waiting_since: datetime | None
    parked_streams: int
    parked_since: datetime | None


@dataclass(frozen=True, slots=True)
class Actions:
    """Of the last hour, and those that wait in the queue."""

    failed: int = 0
    failed_since: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None


OF_READ_STORE = frozenset({"stopped", "behind", "paused", "parked", "drift"})
"""Kinds of problems that are not known while the read store is down."""
OF_REDIS = frozenset({"crashed_jobs"})
"""Likewise of Redis."""


def problems(kernel: Kernel, state: Health) -> list[Problem]:
    """All of them, the worst first. Reads what answers."""
    return [each for each in measured(kernel, state) if each.has_begun]


def measured(kernel: Kernel, state: Health) -> list[Problem]:
    """Like `problems`, with those that have not reached their limit."""
    now, followers, actions = kernel.clock(), [], Actions()
    down_since: dict[str, datetime | None] = {}
    with answered_within(STORE_SECONDS):
        if state.write_store:
            followers = list(followers_of(kernel, state))
            with reader_of(kernel.engines.write).connect() as connection:
                actions = _actions(connection, now)
                for part in ("read_store", "redis"):
                    if not getattr(state, part):
                        down_since[part] = since(connection, "down", (part,), now)
    found = [
        *_parts(state, down_since),
        *_of_followers(followers, now, kernel.tuning.red_lag),
        *(_of_records(kernel.reconciler.records().values()) if state.read_store else ()),
        *_of_actions(actions, now),
        *_of_jobs(state),
    ]
    return sorted(found, key=lambda each: each.level != "bad")


def _parts(state: Health, down_since: dict[str, datetime | None]) -> Iterator[Problem]:
    if not state.write_store:
        yield Problem(
            kind="write_store_down",
            level="bad",
            title="The write store is down",
            cost="Nobody can sign in and no change can be saved.",
            since=None,
            remedy="Start the database. All processes reconnect by themselves.",
        )
        return
    if not state.read_store:
        yield Problem(
            kind="read_store_down",
            level="bad",
            title="The read store is down",
            cost="Lists, search and figures are unavailable. Changes are saved, and the pages of "
            "single orders work.",
            since=down_since.get("read_store"),
            remedy="Start the database. Pages catch up by themselves.",
        )
    if not state.redis:
        yield Problem(
            kind="redis_down",
            level="warn",
            title="Redis is down",
            cost="Pages follow a second or two late and no answer is cached. Nothing is lost.",
            since=down_since.get("redis"),
            remedy="Start Redis. Nothing has to be repaired.",
        )
    yield from _missing_processes(state)


def _missing_processes(state: Health) -> Iterator[Problem]:
    if not state.workers and not state.sweeps:
        yield Problem(
            kind="no_processes",
            level="bad",
            title="No worker and no sweep is running",
            cost="Changes are saved, but no page shows them.",
            since=None,
            remedy="Start a worker and a sweep: `flask worker`, `flask sweep`.",
        )
    elif not state.workers:
        yield Problem(
            kind="no_worker",
            level="warn",
            title="No worker is running",
            cost="The sweep does the work: pages follow a second or two late.",
            since=None,
            remedy="Start a worker: `flask worker`. Its log says why the last one ended.",
        )
    elif not state.sweeps:
        yield Problem(
            kind="no_sweep",
            level="warn",
            title="No sweep is running",
            cost="A wake-up that gets lost stays lost: some pages may stay old.",
            since=None,
            remedy="Start a sweep: `flask sweep`.",
        )


def _of_followers(
    followers: Iterable[Follower], now: datetime, red_lag: float
) -> Iterator[Problem]:
    for each in followers:
        name = each.cursor.subscription
        words = in_words(name).capitalize()
        cost = f"{each.feeds}: {_events(each.lag_events)} missing."
        if each.cursor.state == "failed":
            yield Problem(
                kind="stopped",
                subject=name,
                level="bad",
                title=f"{words} has stopped",
                cost=cost,
                since=each.waiting_since or each.cursor.advanced_at,
                remedy=each.cursor.error or "See its row for the reason.",
            )
        elif each.cursor.state == "paused":
            yield Problem(
                kind="paused",
                subject=name,
                level="warn",
                title=f"{words} is paused",
                cost=cost,
                since=each.waiting_since or each.cursor.advanced_at,
                remedy="Resume it once the reason for the pause is gone.",
            )
        elif each.waiting_since:
            yield Problem(
                kind="behind",
                subject=name,
                level="bad",
                title=f"{words} is behind",
                cost=cost,
                since=each.waiting_since,
                remedy="See whether its position moves. Add workers if several are behind.",
                value=(now - each.waiting_since).total_seconds(),
                limit=red_lag,
            )
        if each.parked_streams:
            count = each.parked_streams
            out_of_date = "record is" if count == 1 else "records are"
            yield Problem(
                kind="parked",
                subject=name,
                level="bad",
                title=f"{words} could not apply an event",
                cost=f"{each.feeds}: {count:,} {out_of_date} out of date.",
                since=each.parked_since,
                remedy="Read the error. Retry once its cause is fixed, or skip the event.",
                value=count,
            )


def _of_records(records: Iterable[Reconciliation]) -> Iterator[Problem]:
    for each in records:
        if each.has_drift:
            rows, count = "Rows", each.differences
            if count:
                rows = counted(count, "row")
            yield Problem(
                kind="drift",
                subject=each.projection,
                level="bad",
                title=f"{rows} of {in_words(each.projection)} "
                f"{'differs' if count == 1 else 'differ'} from the log",
                cost="Pages, exports and reports may show something that did not happen.",
                since=each.compared_at,
                remedy=each.problem or "Repair it: the rows are compared with the events first.",
                value=max(count, 1),
            )


def _of_actions(actions: Actions, now: datetime) -> Iterator[Problem]:
    if actions.failed:
        count = actions.failed
        yield Problem(
            kind="failed_actions",
            level="bad",
            title=f"{counted(count, 'action')} failed in the last hour",
            cost="Nothing of them was saved. Whoever sent them has to send them again.",
            since=actions.failed_since,
            remedy="The log entry of each has its error.",
            value=count,
        )
    if actions.waiting_since:
        waits = "action waits" if actions.waiting == 1 else "actions wait"
        yield Problem(
            kind="queued_actions",
            level="bad",
            title=f"{actions.waiting:,} queued {waits}",
            cost="They are accepted and not carried out yet.",
            since=actions.waiting_since,
            remedy="See whether workers run and are busy.",
            value=(now - actions.waiting_since).total_seconds(),
            limit=WAITS_TOO_LONG.total_seconds(),
        )


def _of_jobs(state: Health) -> Iterator[Problem]:
    if state.failed_jobs:
        count = state.failed_jobs
        yield Problem(
            kind="crashed_jobs",
            level="warn",
            title=f"{counted(count, 'job')} crashed in the last hour",
            cost="The sweep has done or will do their work.",
            since=None,
            remedy="The log of the workers has the tracebacks.",
            value=count,
        )


def in_words(name: str) -> str:
    """The name of a subscription as people read it, such as "order timeline"."""
    return name.replace("_", " ")


def _events(count: int) -> str:
    return counted(count, "event") if count else "no event"


def followers_of(kernel: Kernel, state: Health) -> Iterator[Follower]:
    """Every subscription whose store answers."""
    stores: Sequence[Store] = ("read", "write") if state.read_store else ("write",)
    cursors = kernel.runner.cursors(*stores)
    head = kernel.store.head()
    for name, cursor in cursors.items():
        lag = max(head - cursor.position, 0)
        waiting = kernel.store.recorded_after(cursor.position) if lag else None
        streams, parked_since = _parked(kernel, name) if cursor.parked else (0, None)
        yield Follower(cursor, _feeds(kernel, name), lag, waiting, streams, parked_since)


def _feeds(kernel: Kernel, name: str) -> str:
    """What is answered from a projection; for what has effects, its name."""
    labels = {
        query.declaration.label
        for query in kernel.registry.answers
        if name in query.declaration.reads
    }
    shown = sorted(labels)[:MOST_NAMED]
    more = len(labels) - len(shown)
    words = ", ".join(shown) or in_words(name).capitalize()
    return f"{words} and {more} more" if more else words


def _parked(kernel: Kernel, name: str) -> tuple[int, datetime | None]:
    store = kernel.registry.subscriptions[name].store
    columns = (parked_events if store == "read" else subscription_parked).c
    found = select(func.count(columns.stream.distinct()), func.min(columns.parked_at)).where(
        columns.subscription == name
    )
    engine = kernel.engines.query if store == "read" else kernel.engines.write
    with reader_of(engine).connect() as connection:
        streams, first = connection.execute(found).one()
    return int(streams), first


def _actions(connection: Connection, now: datetime) -> Actions:
    failed = select(func.count(), func.min(_LOG.received_at)).where(
        _LOG.outcome == "failed", _LOG.received_at >= now - LATELY
    )
    waiting = select(func.count(), func.min(_LOG.received_at)).where(
        _LOG.outcome.in_(("queued", "running")), _LOG.not_before.is_(None)
    )
    return Actions(*connection.execute(failed).one(), *connection.execute(waiting).one())
