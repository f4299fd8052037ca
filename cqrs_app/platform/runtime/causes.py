"""Which command caused which: all that have the same first cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, tuple_

from cqrs_app.kernel.events.recorded import event_id
from cqrs_app.kernel.store import LogEntry
from cqrs_app.kernel.store.tables import command_log, events

MOST = 200

_LOG = command_log.c


@dataclass(frozen=True, slots=True)
class Link:
    """One command in a chain of causes; `causation_id` names the command or event that caused
    it, and `caused_by` that command or the one that wrote that event, if it is in the chain."""

    command_id: str
    type: str
    stream: str
    outcome: str
    operator: str
    received_at: datetime
    causation_id: str | None
    caused_by: str | None


_COLUMNS = [_LOG[name] for name in Link.__annotations__ if name != "caused_by"]


def chain_of(entry: LogEntry, connection: Connection) -> tuple[Link, ...]:
    """The commands with the correlation id of this one, in the order in which they were
    received."""
    related = (_LOG.command_id == entry.correlation_id) | (
        (_LOG.correlation_id == entry.correlation_id) & _LOG.causation_id.is_not(None)
    )
    found = select(*_COLUMNS, _LOG.events).where(related).order_by(_LOG.received_at).limit(MOST)
    rows = connection.execute(found).all()
    causes = {row.command_id: row.command_id for row in rows} | dict(_writers(rows, connection))
    return tuple(
        Link(
            **{each.name: row._mapping[each] for each in _COLUMNS},
            caused_by=causes.get(row.causation_id or ""),
        )
        for row in rows
    )


def _writers(
    rows: Sequence[Row[*tuple[Any, ...]]], connection: Connection
) -> Iterator[tuple[str, str]]:
    """Event id -> the command that wrote it, of all events that these commands wrote."""
    written = [
        (row.stream, each["version"]) for row in rows for each in msgspec.json.decode(row.events)
    ]
    found = select(events.c.hash, events.c.command_id).where(
        tuple_(events.c.stream, events.c.version).in_(written)
    )
    for row in connection.execute(found):
        yield event_id(bytes(row.hash)), row.command_id
