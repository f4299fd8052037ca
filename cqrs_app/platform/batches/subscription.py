"""Follows what people decide about batches, in the rows that are worked on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, select, update

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import events, streams
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.batches.batch import CommandBatch
from cqrs_app.platform.batches.counts import count_anew
from cqrs_app.platform.batches.events import (
    BatchCancelled,
    BatchCreated,
    BatchEnded,
    BatchItemsRetried,
    BatchPaused,
    BatchResumed,
    BatchStarted,
)
from cqrs_app.platform.batches.items import signs, steps_in
from cqrs_app.platform.batches.tables import batch_items, batches
from cqrs_app.platform.batches.words import BatchState, Outcome

_BATCH, _ITEM = batches.c, batch_items.c


class FollowBatches(Subscription):
    """Gives a batch the state that was decided. `categories` maps a command to the category of the
    streams it is about."""

    name: ClassVar[str] = "batches"
    events: ClassVar[tuple[type[Event], ...] | None] = (
        BatchCreated,
        BatchStarted,
        BatchPaused,
        BatchResumed,
        BatchCancelled,
        BatchItemsRetried,
        BatchEnded,
    )

    def __init__(self, categories: dict[str, str]) -> None:
        self._categories = categories

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            self._take(recorded.event, recorded.recorded_at, connection)

    def _take(self, event: Any, at: datetime, connection: Connection) -> None:
        begun = {"started_at": at, "finished_at": None}
        match event:
            case BatchCreated():
                state = BatchState.RUNNING if event.start else BatchState.CHECKING
                _set(connection, event.batch_id, state, **begun)
            case BatchStarted():
                if event.leave_out:
                    _leave_out(connection, event.batch_id, at)
                _set(connection, event.batch_id, BatchState.RUNNING, **begun)
            case BatchPaused():
                _set(connection, event.batch_id, BatchState.PAUSED, paused_because=event.reason)
            case BatchResumed():
                _set(connection, event.batch_id, BatchState.RUNNING)
            case BatchCancelled():
                _set(connection, event.batch_id, BatchState.CANCELLED, finished_at=at)
                waiting = update(batch_items).where(
                    _ITEM.batch_id == event.batch_id, _ITEM.outcome == Outcome.WAITING
                )
                connection.execute(
                    waiting.values(outcome=Outcome.CANCELLED, code="", sentence="", finished_at=at)
                )
                count_anew(connection, event.batch_id)
            case BatchItemsRetried():
                self._retry(connection, event)
                _set(connection, event.batch_id, BatchState.RUNNING, **begun)
            case BatchEnded():
                _set(connection, event.batch_id, BatchState.ENDED, finished_at=at)

    def _retry(self, connection: Connection, event: BatchItemsRetried) -> None:
        """Items wait again, under another command id and with the versions that there are now. What
        is signed keeps the version that was seen: it names what was shown."""
        named = select(_BATCH.command, _BATCH.fields, _BATCH.steps)
        row = connection.execute(named.where(_BATCH.batch_id == event.batch_id)).one()
        category = self._categories[row.command]
        newest = (
            select(streams.c.version)
            .where(streams.c.stream == category + "-" + _ITEM.subject)
            .scalar_subquery()
        )
        again = update(batch_items).where(
            _ITEM.batch_id == event.batch_id, _ITEM.outcome == event.outcome
        )
        connection.execute(
            again.values(
                outcome=Outcome.WAITING,
                code="",
                sentence="",
                attempt=_ITEM.attempt + 1,
                version=_ITEM.version if signs(steps_in(row)) else newest,
                finished_at=None,
            )
        )
        count_anew(connection, event.batch_id)


def followed_version(engine: Engine, batch_id: str) -> int | None:
    """The version of a batch's stream, if its rows follow all of it; else None."""
    name = FollowBatches.name
    last = (
        select(events.c.version, events.c.position)
        .where(events.c.stream == CommandBatch.stream_of(batch_id))
        .order_by(events.c.version.desc())
        .limit(1)
    )
    with reader_of(engine).connect() as connection:
        row = connection.execute(last).one_or_none()
        cursor = cursors_in("write").read(connection, [name]).get(name)
    if row is None or row.position is None or cursor is None or cursor.position < row.position:
        return None
    version: int = row.version
    return version


def _set(connection: Connection, batch_id: str, state: BatchState, **values: Any) -> None:
    connection.execute(
        update(batches).where(_BATCH.batch_id == batch_id).values(state=state, **values)
    )


def _leave_out(connection: Connection, batch_id: str, at: datetime) -> None:
    """Keep what is expected to be refused from being sent; the sentence stays."""
    unwanted = update(batch_items).where(
        _ITEM.batch_id == batch_id,
        _ITEM.outcome == Outcome.WAITING,
        _ITEM.expected.not_in(["", Outcome.DONE, Outcome.REQUESTED]),
    )
    connection.execute(unwanted.values(outcome=Outcome.SKIPPED, finished_at=at))
    count_anew(connection, batch_id)
