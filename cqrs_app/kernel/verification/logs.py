"""Verifies the log as a whole: no position is missing, and events and command log match."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Engine, exists, func, select

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import command_log, events
from cqrs_app.kernel.verification.streams import Report

SHOWN = 100
"""Rows that are reported one by one."""

_EVENTS, _LOG = events.c, command_log.c
_EVENT_OF_ROW = exists().where(_EVENTS.stream == _LOG.stream, _EVENTS.version == _LOG.version)
_ROW_OF_EVENT = exists().where(_LOG.command_id == _EVENTS.command_id)


def verify_logs(engine: Engine) -> Iterator[Report]:
    """Report missing positions, events missing from the log, and commands missing from the command
    log."""
    with reader_of(engine).connect() as connection:
        last = _one(connection, select(func.max(_EVENTS.position)))
        placed = _one(connection, select(func.count(_EVENTS.position)))
        gap = f"{last - placed} of {last} positions are missing" if last != placed else None
        yield Report("the log", placed, gap)
        lost = select(_LOG.command_id, _LOG.stream, _LOG.version).where(*_wrote(), ~_EVENT_OF_ROW)
        for row in connection.execute(lost.limit(SHOWN)):
            fault = f"version {row.version}, which command {row.command_id} wrote, is gone"
            yield Report(row.stream, 0, fault)
        unknown = select(_EVENTS.stream, _EVENTS.version, _EVENTS.command_id).where(~_ROW_OF_EVENT)
        for row in connection.execute(unknown.limit(SHOWN)):
            fault = f"version {row.version}: its command {row.command_id} is not in the command log"
            yield Report(row.stream, 0, fault)


def _wrote() -> tuple[ColumnElement[bool], ...]:
    return _LOG.outcome == "succeeded", _LOG.events != "[]"


def _one(connection: Connection, statement: object) -> int:
    return int(connection.execute(statement).scalar() or 0)  # type: ignore[call-overload]
