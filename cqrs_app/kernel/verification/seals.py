"""Seals: signed digests of the event log and the command log.

A seal's digest covers all entries of its log that were sealed so far, in order: it is computed from
the previous seal and the entries since (see entries.py). Whatever is changed, moved or removed of
them no longer matches it, even if every stream is consistent in itself. A copy kept elsewhere
(`Seals.latest`) also reveals changes by somebody who can write to this database, seals included.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Literal

import msgspec
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import seals
from cqrs_app.kernel.verification import entries
from cqrs_app.kernel.verification.streams import UNREADABLE, Report

LogName = Literal["events", "commands"]
ENTRIES: dict[LogName, entries.Entries] = {
    "events": entries.Events(),
    "commands": entries.Commands(),
}
MOST = 2_000
"""Entries of one seal: SQLite has one writer, and others wait while these are sealed."""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """`until` is the position of the last event that it covers; or the latest time at which a
    command finished that it or a seal before it covers, in microseconds since 1970. `digest` and
    `signature` are hexadecimal."""

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


class Seals:
    """`key` returns the key that signs. `most` limits the entries of one seal."""

    def __init__(
        self, engine: Engine, store: EventStore, key: Callable[[], bytes], *, most: int = MOST
    ) -> None:
        self._engine = engine
        self._store = store
        self._key_of = key
        self._most = most

    def extend(self) -> bool:
        """Seal the entries since the last seals, at most `most` per log; returns whether more may
        remain. Safe to call concurrently: only one caller writes a seal."""
        self._store.place()
        more = [self._extend(log) for log in ENTRIES]
        return any(more)

    def _extend(self, log: LogName) -> bool:
        before = self.latest(log)
        if log == "commands" and self._adopt(before):
            return True
        try:
            with self._engine.begin() as connection:
                until = ENTRIES[log].take(connection, before.number + 1, before.until, self._most)
                seal = self._next(connection, before, until)
                if seal.entries > before.entries:
                    connection.execute(insert(seals).values(msgspec.structs.asdict(seal)))
        except IntegrityError:
            # Another process has written the seal of this number, so nothing was sealed here.
            return True
        return seal.entries - before.entries >= self._most

    def _adopt(self, last: Seal) -> bool:
        """Number the commands that an earlier release has sealed by time, up to this seal: before
        an upgrade, or beside this release. Returns whether some remain after `most` of them."""
        with reader_of(self._engine).connect() as connection:
            highest = entries.highest(connection)
        if highest >= last.number:
            return False
        known = [each for each in self._all("commands") if highest <= each.number <= last.number]
        adopted = 0
        for before, seal in pairwise(known if highest else (first("commands"), *known)):
            if adopted >= self._most:
                return True
            with self._engine.begin() as connection:
                adopted += entries.adopt(connection, seal.number, before.until, seal.until)
        return False

    def latest(self, log: LogName) -> Seal:
        """The last seal, or the predecessor of the first."""
        found = select(seals).where(seals.c.log == log).order_by(seals.c.number.desc()).limit(1)
        with reader_of(self._engine).connect() as connection:
            row = connection.execute(found).first()
        return Seal(**row._asdict()) if row else first(log).signed(self._key_of())

    def verify(self, against: Mapping[LogName, Seal] | None = None) -> Iterator[Report]:
        """One report per log: its first seal that is missing or does not match the entries.
        `against` are seals kept elsewhere."""
        for log in ENTRIES:
            yield self._verify(log, (against or {}).get(log))

    def _verify(self, log: LogName, kept: Seal | None) -> Report:
        about = "the log" if log == "events" else "the command log"
        if kept is not None and not kept.is_genuine(self._key_of()):
            return Report(about, 0, "the seal to compare with was not signed by this console")
        found = self._all(log)
        while log == "commands" and found and self._adopt(found[-1]):
            pass
        before, matched = first(log), kept is None or kept.number == 0
        for seal in found:
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
        return Report(about, before.entries, self._stray() if log == "commands" else None)

    def _stray(self) -> str | None:
        with reader_of(self._engine).connect() as connection:
            if entries.has_strays(connection):
                return "some commands bear the number of a seal that is missing"
        return None

    def _fault(self, before: Seal, seal: Seal) -> str | None:
        if seal.number != before.number + 1 or not seal.is_genuine(self._key_of()):
            return f"seal {before.number + 1} is missing, or was changed"
        try:
            with reader_of(self._engine).connect() as connection:
                if self._next(connection, before, seal.until) == seal:
                    return None
        except UNREADABLE as error:
            return f"{_span(before, seal)} cannot be read: {error}"
        return f"{_span(before, seal)} are not what was sealed: some were changed, moved or removed"

    def _next(self, connection: Connection, before: Seal, until: int) -> Seal:
        digest, count, last = hashlib.sha256(bytes.fromhex(before.digest)), 0, before.until
        number = before.number + 1
        for place, content in ENTRIES[before.log].read(connection, number, before.until, until):
            digest.update(place.to_bytes(8) + hashlib.sha256(content).digest())
            count, last = count + 1, max(last, place)
        return Seal(
            log=before.log,
            number=number,
            until=last,
            entries=before.entries + count,
            digest=digest.hexdigest(),
        ).signed(self._key_of())

    def _all(self, log: LogName) -> list[Seal]:
        ordered = select(seals).where(seals.c.log == log).order_by(seals.c.number)
        with reader_of(self._engine).connect() as connection:
            rows = connection.execute(ordered).all()
        return [Seal(**row._asdict()) for row in rows]


def _span(before: Seal, seal: Seal) -> str:
    if seal.log == "events":
        return f"positions {before.until + 1} to {seal.until}"
    until = entries.moment(seal.until)
    return f"the commands of seal {seal.number}, finished by {until:%Y-%m-%d %H:%M:%S} UTC,"
