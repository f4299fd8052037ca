"""What a seal covers: events by their positions; commands by its number, which each of them bears.

Commands are committed in no order that could be read afterwards: not that of the times at which
they finished, since clocks of hosts differ and are put right. So each bears the number of its seal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, func, or_, select, update

from cqrs_app.kernel.store.base import LOG_FIELDS
from cqrs_app.kernel.store.tables import FINAL, command_log, events, seals

PAGE = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOG = command_log.c
_UNSEALED = (_LOG.seal.is_(None), _LOG.outcome.in_(FINAL), _LOG.finished_at.is_not(None))
_LOWEST = select(func.min(_LOG.seal))
_HIGHEST = select(func.max(_LOG.seal))


class Entry(NamedTuple):
    """One entry of a log: its place (the position of an event, the time at which a command
    finished in microseconds since 1970), and its content."""

    place: int
    content: bytes


class Entries(Protocol):
    """The entries of one log. `after` is the `until` of the seal before the one of this
    `number`."""

    def take(self, connection: Connection, number: int, after: int, most: int) -> int:
        """Choose the entries of the next seal, at most `most`; returns its `until` for `read`."""

    def read(self, connection: Connection, number: int, after: int, until: int) -> Iterator[Entry]:
        """The entries that the seal covers, in order."""


class Events:
    def take(self, connection: Connection, number: int, after: int, most: int) -> int:
        later = select(events.c.position).where(events.c.position > after)
        page = later.order_by(events.c.position).limit(most).subquery()
        return connection.execute(select(func.max(page.c.position))).scalar() or after

    def read(self, connection: Connection, number: int, after: int, until: int) -> Iterator[Entry]:
        found = select(events.c.position, events.c.hash).where(events.c.position <= until)
        ordered = found.order_by(events.c.position).limit(PAGE)
        while True:
            rows = connection.execute(ordered.where(events.c.position > after)).all()
            for row in rows:
                after = row.position
                yield Entry(after, bytes(row.hash))
            if len(rows) < PAGE:
                return


class Commands:
    def take(self, connection: Connection, number: int, after: int, most: int) -> int:
        if connection.dialect.name == "postgresql":
            # Each sealed command leaves a dead entry among the unsealed ones of the index. A plain
            # index scan stops after `most`, and removes the dead ones that it meets; a bitmap would
            # be made of all of them.
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        # A row that a repeated command has locked is left to the next seal: no command waits for
        # this transaction while this one waits for it.
        found = select(_LOG.command_id).where(*_UNSEALED).limit(most)
        ordered = found.order_by(_LOG.seal, _LOG.finished_at, _LOG.command_id)
        chosen = ordered.with_for_update(skip_locked=True).cte("chosen")
        mine = _LOG.command_id.in_(select(chosen.c.command_id))
        connection.execute(update(command_log).where(mine).values(seal=number))
        return after

    def read(self, connection: Connection, number: int, after: int, until: int) -> Iterator[Entry]:
        found = select(*(_LOG[name] for name in LOG_FIELDS)).where(_LOG.seal == number)
        ordered = page = found.order_by(_LOG.finished_at, _LOG.command_id).limit(PAGE)
        while True:
            rows = connection.execute(page).all()
            for row in rows:
                yield Entry(_place(row.finished_at), msgspec.json.encode(tuple(row)))
            if len(rows) < PAGE:
                return
            last = rows[-1]
            page = ordered.where(
                or_(
                    _LOG.finished_at > last.finished_at,
                    (_LOG.finished_at == last.finished_at) & (_LOG.command_id > last.command_id),
                )
            )


def highest(connection: Connection) -> int:
    """The highest number that a command bears; 0 if none bears any."""
    return connection.execute(_HIGHEST).scalar() or 0


def has_strays(connection: Connection) -> bool:
    """Whether a command bears a number that no seal has."""
    last = select(func.max(seals.c.number)).where(seals.c.log == "commands")
    # One statement, so that no seal is written in between.
    parts = (each.scalar_subquery() for each in (_LOWEST, _HIGHEST, last))
    lowest, highest, newest = connection.execute(select(*parts)).one()
    return lowest is not None and (lowest < 1 or highest > (newest or 0))


def adopt(connection: Connection, number: int, after: int, until: int) -> int:
    """Number the commands of a seal by an earlier release, which covers those that finished after
    the time `after` and until `until`; returns how many: none if another process did."""
    this = select(seals.c.number).where(seals.c.log == "commands", seals.c.number == number)
    connection.execute(this.with_for_update()).all()
    if highest(connection) >= number:
        return 0
    covered = _LOG.finished_at > moment(after), _LOG.finished_at <= moment(until)
    numbered = update(command_log).where(*_UNSEALED, *covered).values(seal=number)
    return connection.execute(numbered).rowcount


def moment(place: int) -> datetime:
    return _EPOCH + place * _MICROSECOND


def _place(finished_at: datetime) -> int:
    return (finished_at - _EPOCH) // _MICROSECOND
