"""Fulfilment's rows in the write store, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from cqrs_app.areas.fulfilment.codec import CODEC
from cqrs_app.areas.fulfilment.decide import decide
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.retired_events import inputs_of
from cqrs_app.areas.fulfilment.tables import (
    fulfilment_history,
    fulfilment_outbox,
    fulfilment_processes,
    fulfilment_wants,
)
from cqrs_app.areas.fulfilment.update import Cause, ProcessUpdate, cause_of, id_of, stream_of
from cqrs_app.kernel.effects import (
    FIRST_HASH,
    EventStore,
    Head,
    StoredEvent,
    VersionConflict,
    event_store,
    insert_into,
)

T = TypeVar("T")

ATTEMPTS = 5

_NO_HEAD = Head(0, FIRST_HASH, None)
_PROCESS, _OUTBOX, _WANTS = fulfilment_processes.c, fulfilment_outbox.c, fulfilment_wants.c
_HISTORY = fulfilment_history.c
_decode = msgspec.json.Decoder(FulfilmentProcess).decode
_ENDED = (
    update(fulfilment_history)
    .where(_HISTORY.order_id == bindparam("of_order"), _HISTORY.step == bindparam("of_step"))
    .values(text=_HISTORY.text + bindparam("more"))
)
_UNWANTED = delete(fulfilment_wants).where(
    _WANTS.sku == bindparam("of_sku"), _WANTS.order_id == bindparam("of_order")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One row of fulfilment_outbox."""

    id: int
    order_id: str
    step: int
    type: str
    arguments: str
    command_id: str
    correlation_id: str
    causation_id: str | None

    @property
    def cause(self) -> Cause:
        """The source of the command's outcome."""
        return Cause(
            command_id=self.command_id,
            event_id=self.causation_id or "",
            correlation_id=self.correlation_id,
        )


def in_transaction(engine: Engine, act: Callable[[Connection], T]) -> T:
    """The result of `act`, run in one transaction, and run again if a person's decision was written
    meanwhile. Raises VersionConflict if that happens each time.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(VersionConflict), engine.begin() as connection:
            return act(connection)
    with engine.begin() as connection:
        return act(connection)


def read_process(connection: Connection, order_id: str) -> ProcessUpdate:
    """One order's process, read-only."""
    return read_processes(connection, [order_id])[order_id]


def read_processes(connection: Connection, order_ids: Iterable[str]) -> dict[str, ProcessUpdate]:
    """The processes of these orders, read-only."""
    store = FulfilmentStore(connection, event_store(connection.engine), datetime.now(UTC))
    return store.load(order_ids, lock=False)


def process_of(connection: Connection, order_id: str) -> FulfilmentProcess:
    """One order's process now, including decisions that are not processed yet."""
    update = read_process(connection, order_id)
    if update.changed and update.process.is_known:
        status = decide(update.process).status
        return replace(update.process, status=status)
    return update.process


class FulfilmentStore:
    """Loads and saves processes; `now` is the time of everything that happens."""

    def __init__(self, connection: Connection, events: EventStore, now: datetime) -> None:
        self._connection = connection
        self._events = events
        self._now = now
        self._outbox: list[dict[str, Any]] = []

    def load(self, order_ids: Iterable[str], *, lock: bool = True) -> dict[str, ProcessUpdate]:
        """The processes of these orders, including orders that have none yet. They are locked until
        the transaction ends, unless `lock` is false: they are then read-only. Events of an order's
        own stream that its row does not include are folded in: decisions made meanwhile, or all
        events if there is no row.
        """
        ids = sorted(set(order_ids))
        if not ids:
            return {}
        found = select(_PROCESS.order_id, _PROCESS.state, _PROCESS.version)
        found = found.where(_PROCESS.order_id.in_(ids)).order_by(_PROCESS.order_id)
        rows = self._connection.execute(found.with_for_update() if lock else found)
        stored = {row.order_id: row for row in rows if row.state}
        # Read after the rows, so that a row is never ahead of its stream.
        heads = self._events.load_many(map(stream_of, ids))
        updates = {}
        for order_id in ids:
            row, head = stored.get(order_id), heads.get(stream_of(order_id), _NO_HEAD)
            process = _decode(row.state) if row else FulfilmentProcess(order_id=order_id)
            updates[order_id] = ProcessUpdate(
                process=process,
                version=row.version if row else 0,
                hash=head.hash,
                now=self._now,
                outbox=self._outbox,
                wanted=process.wants,
            )
            if updates[order_id].version < head.version:
                cause = self._catch_up(updates[order_id])
                if lock and updates[order_id].process.is_known:
                    updates[order_id].go_on(cause)
        return updates

    def _catch_up(self, behind: ProcessUpdate) -> Cause:
        """Fold in the events of the process's own stream; returns the last of them."""
        from_the_first = behind.version == 0
        stored = self._events.events_of(stream_of(behind.order_id), behind.version)
        sent: dict[int, StoredEvent] = {}
        for item, recorded in inputs_of(CODEC.decode_all(stored)):
            if from_the_first:
                # Steps of events written before there were rows have their version as number.
                behind.process = replace(behind.process, steps=recorded.version - 1)
            behind.fold(item, recorded)
            sent[recorded.version] = recorded.stored
        if from_the_first:
            behind.wanted = frozenset(behind.process.goods)
            for command in behind.process.open.values():
                event = sent[command.no]
                # The id under which it was dispatched before there was an outbox.
                command_id = id_of(f"{event.id} FulfilmentTaskSent {behind.order_id}")
                behind.send(command, command_id, cause_of(event))
            behind.process = replace(behind.process, seen=self._seen(behind.process, stored))
        return cause_of(stored[-1])

    def _seen(self, process: FulfilmentProcess, own: Sequence[StoredEvent]) -> dict[str, int]:
        """Inputs processed before there was a row: each event names the one it recorded."""
        noted = {event.causation_id for event in own}
        streams = (f"order-{process.order_id}", *(f"payment-{each}" for each in process.payments))
        events = chain.from_iterable(map(self._events.events_of, streams))
        return {event.stream: event.version for event in events if event.id in noted}

    def save(self, updates: Iterable[ProcessUpdate]) -> None:
        """Write all changes. Raises VersionConflict if somebody else wrote to one of the streams;
        the transaction must then be rolled back.
        """
        changed = [each for each in updates if each.changed]
        self._save_processes(changed)
        steps = [step for each in changed for step in each.steps.values()]
        self._execute(insert(fulfilment_history), steps)
        self._execute(_ENDED, [row for each in changed for row in each.outcomes])
        self._execute(insert(fulfilment_outbox), self._outbox)
        self._save_wants(changed)
        changes = [each.change for each in changed if each.events]
        if changes:
            self._events.append(self._connection, changes)

    def _save_processes(self, changed: Sequence[ProcessUpdate]) -> None:
        row = insert_into(self._connection, fulfilment_processes)
        values = {name: row.excluded[name] for name in ("state", "version", "due_at")}
        rows = [
            {
                "order_id": each.order_id,
                "state": msgspec.json.encode(each.process).decode(),
                "version": each.version,
                "due_at": each.process.due_at,
            }
            for each in changed
        ]
        self._execute(row.on_conflict_do_update(index_elements=["order_id"], set_=values), rows)

    def _save_wants(self, changed: Sequence[ProcessUpdate]) -> None:
        wanted = [
            {"sku": sku, "order_id": each.order_id, "position": each.position}
            for each in changed
            for sku in sorted(each.process.wants - each.wanted)
        ]
        unwanted = [
            {"of_sku": sku, "of_order": each.order_id}
            for each in changed
            for sku in sorted(each.wanted - each.process.wants)
        ]
        self._execute(
            insert_into(self._connection, fulfilment_wants).on_conflict_do_nothing(), wanted
        )
        self._execute(_UNWANTED, unwanted)

    def _execute(self, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(statement, rows)

    def wanting(self, skus: Collection[str]) -> dict[str, list[str]]:
        """Product -> the orders waiting for it, longest first."""
        if not skus:
            return {}
        found = select(_WANTS.sku, _WANTS.order_id).where(_WANTS.sku.in_(sorted(skus)))
        waiting: dict[str, list[str]] = {}
        for sku, order_id in self._connection.execute(found.order_by(_WANTS.position)):
            waiting.setdefault(sku, []).append(order_id)
        return waiting

    def overdue(self, limit: int) -> list[str]:
        """The orders whose deadline has passed, oldest first."""
        found = select(_PROCESS.order_id).where(_PROCESS.due_at <= self._now)
        ordered = found.order_by(_PROCESS.due_at).limit(limit)
        return list(self._connection.execute(ordered).scalars())

    def outgoing(self, limit: int) -> list[Outgoing]:
        """The commands to dispatch next, in order."""
        found = select(fulfilment_outbox).order_by(_OUTBOX.id).limit(limit)
        return [Outgoing(**row._mapping) for row in self._connection.execute(found)]

    def remove(self, ended: Iterable[Outgoing]) -> None:
        """Remove commands from the outbox."""
        # Not by the row's id: SQLite reuses the id of a deleted row, and another process may have
        # handled the same outcomes meanwhile.
        ids = [each.command_id for each in ended]
        self._connection.execute(delete(fulfilment_outbox).where(_OUTBOX.command_id.in_(ids)))
