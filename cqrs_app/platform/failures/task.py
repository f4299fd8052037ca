"""Counts parked events as failures, and resolves failures of which nothing is parked any more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from sqlalchemy import Connection, RowMapping, Table, select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import parked_events, subscription_parked
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.failures.causes import Cause, cause_of, named, without_values
from cqrs_app.platform.failures.commands import ResolveFailure
from cqrs_app.platform.failures.masking import masked_payload, sample_text
from cqrs_app.platform.failures.records import Occurrence, Seen, prune, save
from cqrs_app.platform.failures.tables import failures

PARKED = {"read": parked_events, "write": subscription_parked}
RESOLVING = "resolve "
AT_ONCE = 200


class FollowParkedEvents(BackgroundTask):
    """Parked events are counted from their rows, so none is lost whenever a process dies. The key
    is a store with events that are not counted yet, or "resolve " and a failure."""

    name: ClassVar[str] = "failures"
    sends_commands: ClassVar[bool] = False

    def __init__(self, actor: Actor, release: str) -> None:
        self._actor = actor
        self._release = release

    def due(self, kernel: Kernel) -> list[str]:
        uncounted, down = [], False
        for store in PARKED:
            try:
                if _has_uncounted(kernel, store):
                    uncounted.append(store)
            except DATABASE_TROUBLE:
                down = True  # nothing is lost: the rows are still there when it is back
        if uncounted or down or not kernel.commands.enabled:
            return uncounted
        return [f"{RESOLVING}{failure_id}" for failure_id in self._mended(kernel)]

    def work(self, kernel: Kernel, key: str) -> bool:
        if key.startswith(RESOLVING):
            self._resolve(kernel, key.removeprefix(RESOLVING))
            return False
        return _count(kernel, key, self._release)

    def housekeep(self, kernel: Kernel) -> None:
        with kernel.engines.write.begin() as connection:
            prune(connection, kernel.clock())

    def _mended(self, kernel: Kernel) -> list[str]:
        unresolved = select(failures.c.failure_id).where(
            failures.c.state != "resolved", failures.c.kind == "event"
        )
        with reader_of(kernel.engines.write).connect() as connection:
            found = list(connection.execute(unresolved).scalars())
        # Only after that: an event is counted before its row says so.
        return [each for each in found if not _is_parked(kernel, each)]

    def _resolve(self, kernel: Kernel, failure_id: str) -> None:
        if failure_id not in self._mended(kernel):
            return
        context = Context(actor=self._actor, channel="failures")
        with suppress(Refused):  # somebody else has resolved it
            kernel.commands.execute(ResolveFailure(failure_id=failure_id), context)


def _engine(kernel: Kernel, store: str) -> Any:
    return kernel.engines.read if store == "read" else kernel.engines.write


def _is_parked(kernel: Kernel, failure_id: str) -> bool:
    """Whether an event is parked for this cause, or for one that is not known yet."""
    for store, table in PARKED.items():
        mine = select(table.c.position).where(table.c.cause == failure_id).limit(1)
        with reader_of(_engine(kernel, store)).connect() as connection:
            uncounted = connection.execute(_uncounted(table).limit(1)).first()
            if uncounted or connection.execute(mine).first():
                return True
    return False


def _uncounted(table: Table) -> Any:
    return select(table.c.position).where(table.c.culprit, table.c.cause.is_(None))


def _has_uncounted(kernel: Kernel, store: str) -> bool:
    with reader_of(_engine(kernel, store)).connect() as connection:
        return connection.execute(_uncounted(PARKED[store]).limit(1)).first() is not None


def _count(kernel: Kernel, store: str, release: str) -> bool:
    """Count some parked events; returns whether more remain. Two processes at once may count one
    twice, but none is missed."""
    table = PARKED[store]
    found = select(table).where(table.c.culprit, table.c.cause.is_(None))
    with reader_of(_engine(kernel, store)).connect() as connection:
        rows = connection.execute(found.order_by(table.c.position).limit(AT_ONCE)).mappings().all()
    found_events = kernel.store.at_positions([row["position"] for row in rows])
    stored = {each.position: each for each in found_events}
    causes: dict[str, Seen] = {}
    for row in rows:
        cause = _cause(row)
        seen = causes.setdefault(cause.id, Seen(cause))
        at = row["parked_at"] if row["attempts"] <= 1 else kernel.clock()
        occurrence = Occurrence(at, release, row["stream"], str(row["position"]))
        sample = sample_text(_sample(row, stored.get(row["position"])))
        seen.add(occurrence, sample, without_values(row["traceback"] or ""))
    for seen in causes.values():
        with kernel.engines.write.begin() as connection:
            save(connection, seen)
    with _engine(kernel, store).begin() as connection:
        _mark(connection, table, rows)
    return len(rows) == AT_ONCE


def _cause(row: RowMapping) -> Cause:
    name, message = named(row["error"] or "")
    return cause_of("event", row["subscription"], name, message, row["traceback"] or "")


def _mark(connection: Connection, table: Table, rows: Sequence[RowMapping]) -> None:
    for row in rows:
        connection.execute(
            update(table)
            .where(
                table.c.subscription == row["subscription"],
                table.c.position == row["position"],
                table.c.attempts == row["attempts"],
            )
            .values(cause=_cause(row).id)
        )


def _sample(row: RowMapping, stored: StoredEvent | None) -> dict[str, Any]:
    return {
        "subject": row["stream"],
        "reference": str(row["position"]),
        "type": row["type"],
        "version": row["version"],
        "fields": masked_payload(stored.payload) if stored else {},
    }
