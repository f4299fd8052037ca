"""Seals: signed digests of the event log and the command log up to a point in time.

A seal's digest covers all entries up to `until`, in order: it is computed from the previous seal
and the entries since. Whatever is changed, moved or removed below a seal no longer matches it, even
if every stream is consistent in itself. A copy kept elsewhere (`Seals.latest`) also reveals changes
by somebody who can write to this database, seals included.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.base import LOG_FIELDS
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import FINAL, command_log, events, seals
from cqrs_app.kernel.verification.streams import Report

LogName = Literal["events", "commands"]
PAGE = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """`until` identifies the last entry: the position of an event, or the time a command finished,
    in microseconds since 1970. `digest` and `signature` are hexadecimal."""

    log: LogName
    number: int
    until: int
    entries: int
    digest: str
    signature: str = ""

    def signed(self, key: bytes) -> Seal:
        content = msgspec.json.encode(msgspec.structs.replace(self, signature=""))
        signature = hmac.digest(key, content, hashlib.sha256).hex()
        return msgspec.structs.replace(self, signature=signature)

    def is_genuine(self, key: bytes) -> bool:
        return hmac.compare_digest(self.signed(key).signature, self.signature)


def first(log: LogName) -> Seal:
    """The predecessor of the first seal."""
    return Seal(log=log, number=0, until=0, entries=0, digest=bytes(32).hex())


class Entry(NamedTuple):
    """One entry of a log: its place in the order, and its content."""

    place: int
    content: bytes


class Source(Protocol):
    """Reads the entries of a log above place `after`, up to and including `until`, in order."""

    def __call__(self, connection: Connection, after: int, until: int) -> Iterator[Entry]: ...


class Seals:
    """`key` signs. `settled` is the time after which a finished command is certainly committed.
    `most` limits the entries of one seal, except for commands of the same microsecond."""

    def __init__(
        self,
        engine: Engine,
        store: EventStore,
        key: bytes,
        *,
        settled: timedelta,
        clock: Callable[[], datetime],
        most: int = 100_000,
    ) -> None:
        self._engine = engine
        self._store = store
        self._key = key
        self._settled = settled
        self._clock = clock
        self._most = most

    def extend(self) -> bool:
        """Seal the entries since the last seals, at most `most` per log; returns whether more
        remain. Safe to call concurrently: only one caller writes a seal."""
        self._store.place()
        more = [self._extend(log) for log in SOURCES]
        return any(more)

    def _extend(self, log: LogName) -> bool:
        before = self.latest(log)
        until, more = self._end_after(before)
        seal = self._next(before, until)
        if seal.entries > before.entries:
            self._write(seal)
        return more

    def latest(self, log: LogName) -> Seal:
        """The last seal, or the predecessor of the first."""
        found = select(seals).where(seals.c.log == log).order_by(seals.c.number.desc()).limit(1)
        with reader_of(self._engine).connect() as connection:
            row = connection.execute(found).first()
        return Seal(**row._asdict()) if row else first(log).signed(self._key)

    def verify(self, against: Mapping[LogName, Seal] | None = None) -> Iterator[Report]:
        """One report per log: its first seal that is missing or does not match the entries.
        `against` are seals kept elsewhere."""
        for log in SOURCES:
            kept = (against or {}).get(log)
            yield self._verify(log, kept)

    def _verify(self, log: LogName, kept: Seal | None) -> Report:
        about = "the log" if log == "events" else "the command log"
        if kept is not None and not kept.is_genuine(self._key):
            return Report(about, 0, "the seal to compare with was not signed by this console")
        before, matched = first(log), kept is None or kept.number == 0
        for seal in self._all(log):
            fault = self._fault(before, seal)
            if fault is None and kept is not None and seal.number == kept.number:
                matched = seal == kept
                fault = None if matched else f"seal {seal.number} is not the one that was kept"
            if fault is not None:
                return Report(about, before.entries, fault)
            before = seal
        if not matched and kept is not None:
            fault = f"it ends with seal {before.number}, before seal {kept.number} that was kept"
            return Report(about, before.entries, fault)
        return Report(about, before.entries, None)

    def _fault(self, before: Seal, seal: Seal) -> str | None:
        if seal.number != before.number + 1 or not seal.is_genuine(self._key):
            return f"seal {before.number + 1} is missing, or was changed"
        if self._next(before, seal.until) == seal:
            return None
        return f"{_span(before, seal)} are not what was sealed: some were changed, moved or removed"

    def _next(self, before: Seal, until: int) -> Seal:
        digest, entries = hashlib.sha256(bytes.fromhex(before.digest)), before.entries
        last = before.until
        with reader_of(self._engine).connect() as connection:
            for entry in SOURCES[before.log](connection, before.until, until):
                digest.update(entry.place.to_bytes(8) + hashlib.sha256(entry.content).digest())
                last, entries = entry.place, entries + 1
        return Seal(
            log=before.log,
            number=before.number + 1,
            until=last,
            entries=entries,
            digest=digest.hexdigest(),
        ).signed(self._key)

    def _end_after(self, before: Seal) -> tuple[int, bool]:
        """Where the next seal ends, and whether there are entries after it."""
        if before.log == "events":
            last, most = self._store.head(), before.until + self._most
            return min(last, most), last > most
        settled, columns = self._clock() - self._settled, command_log.c
        later = select(columns.finished_at).where(
            columns.outcome.in_(FINAL),
            columns.finished_at > _EPOCH + before.until * _MICROSECOND,
            columns.finished_at <= settled,
        )
        with reader_of(self._engine).connect() as connection:
            found = connection.execute(later.order_by(columns.finished_at).offset(self._most))
            end = found.scalar()
        return ((end or settled) - _EPOCH) // _MICROSECOND, end is not None

    def _all(self, log: LogName) -> Iterator[Seal]:
        ordered = select(seals).where(seals.c.log == log).order_by(seals.c.number)
        with reader_of(self._engine).connect() as connection:
            rows = connection.execute(ordered).all()
        return (Seal(**row._asdict()) for row in rows)

    def _write(self, seal: Seal) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(seals).values(msgspec.structs.asdict(seal)))
        except IntegrityError:
            # Another sweep has already written the seal of this number.
            return


def _span(before: Seal, seal: Seal) -> str:
    if seal.log == "events":
        return f"positions {before.until + 1} to {seal.until}"
    since, until = (_EPOCH + each.until * _MICROSECOND for each in (before, seal))
    return f"commands finished after {since:%Y-%m-%d %H:%M:%S} and until {until:%H:%M:%S} UTC"


def _events(connection: Connection, after: int, until: int) -> Iterator[Entry]:
    while True:
        found = select(events.c.position, events.c.hash).where(
            events.c.position > after, events.c.position <= until
        )
        rows = connection.execute(found.order_by(events.c.position).limit(PAGE)).all()
        for row in rows:
            after = row.position
            yield Entry(after, bytes(row.hash))
        if len(rows) < PAGE:
            return


def _commands(connection: Connection, after: int, until: int) -> Iterator[Entry]:
    columns, command_id = command_log.c, ""
    since, last = _EPOCH + after * _MICROSECOND, _EPOCH + until * _MICROSECOND
    found = select(*(columns[name] for name in LOG_FIELDS)).where(
        columns.outcome.in_(FINAL), columns.finished_at <= last
    )
    ordered = found.order_by(columns.finished_at, columns.command_id).limit(PAGE)
    while True:
        later = (columns.finished_at > since) | (
            (columns.finished_at == since) & (columns.command_id > command_id)
        )
        # The last seal covers all commands of its last microsecond.
        behind = later if command_id else columns.finished_at > since
        rows = connection.execute(ordered.where(behind)).all()
        for row in rows:
            since, command_id = row.finished_at, row.command_id
            yield Entry((since - _EPOCH) // _MICROSECOND, msgspec.json.encode(tuple(row)))
        if len(rows) < PAGE:
            return


SOURCES: dict[LogName, Source] = {"events": _events, "commands": _commands}
