"""Keeps the files of scheduled exports in the write store, for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update

from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.transfer.schedules.tables import export_chunks, export_files

CHUNK_BYTES = 1024 * 1024
"""One megabyte per transaction, so that others can write in between."""
MOST_FILES = 10
"""Of one schedule."""
KEPT = timedelta(days=7)
BROKEN_KEPT = timedelta(hours=1)
"""Files whose making ended in the middle."""
_FILE = export_files.c


class TooLarge(Exception):
    """A file has more than `most` bytes. Nothing of it is kept."""


class Withdrawn(Exception):
    """A file was deleted while it was made: its schedule was, or a person was erased."""


class ExportFiles:
    """Stores, returns and deletes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = reader_of(engine)

    def keep(self, pieces: Iterable[bytes], most: int, **about: Any) -> str:
        """Store a file; `about` are its columns. Returns its id. Raises TooLarge, Withdrawn, and
        what `pieces` raises; then nothing of it is kept."""
        file_id = new_id()
        row = {"file_id": file_id, "rows": 0, "size": 0, "whole": False, **about}
        with self._engine.begin() as connection:
            connection.execute(insert(export_files).values(row))
        try:
            self._fill(file_id, pieces, most)
        except Exception:
            self._forget(_FILE.file_id == file_id)
            raise
        self._forget_surplus(row["schedule"])
        return file_id

    def _fill(self, file_id: str, pieces: Iterable[bytes], most: int) -> None:
        size, number, waiting = 0, 0, b""
        for piece in pieces:
            size += len(piece)
            waiting += piece
            if size > most:
                raise TooLarge
            while len(waiting) >= CHUNK_BYTES:
                self._write(file_id, number, waiting[:CHUNK_BYTES], size=size)
                number, waiting = number + 1, waiting[CHUNK_BYTES:]
        self._write(file_id, number, waiting, size=size, whole=True)

    def counted(self, file_id: str, rows: int) -> None:
        """Record how many rows it has."""
        self._change(file_id, rows=rows)

    def sent(self, file_id: str, at: datetime) -> None:
        self._change(file_id, sent_at=at)

    def find(self, file_id: str) -> Any | None:
        """The columns of a file; None if there is none."""
        found = select(export_files).where(_FILE.file_id == file_id, _FILE.whole)
        with self._reader.connect() as connection:
            return connection.execute(found).one_or_none()

    def chunks(self, file_id: str) -> Iterator[bytes]:
        """Its content, in order."""
        number, chunk = 0, export_chunks.c
        while True:
            found = select(chunk.content).where(chunk.file_id == file_id, chunk.number == number)
            with self._reader.connect() as connection:
                content = connection.execute(found).scalar_one_or_none()
            if content is None:
                return
            yield content
            number += 1

    def forget_old(self, now: datetime) -> None:
        self._forget(_FILE.made_at < now - KEPT)
        self._forget(~_FILE.whole & (_FILE.made_at < now - BROKEN_KEPT))

    def forget_before(self, moment: datetime) -> None:
        """Delete the whole files that were made before."""
        self._forget(_FILE.whole & (_FILE.made_at < moment))

    def _forget_surplus(self, schedule: str) -> None:
        mine = _FILE.schedule == schedule
        newest = select(_FILE.file_id).where(mine).order_by(_FILE.made_at.desc()).limit(MOST_FILES)
        with self._reader.connect() as connection:
            kept = list(connection.execute(newest).scalars())
        self._forget(mine & _FILE.file_id.not_in(kept))

    def _write(self, file_id: str, number: int, content: bytes, **about: Any) -> None:
        with self._engine.begin() as connection:
            # First, so that the file is not deleted in between.
            mine = update(export_files).where(_FILE.file_id == file_id).values(**about)
            if not connection.execute(mine).rowcount:
                raise Withdrawn
            values = {"file_id": file_id, "number": number, "content": content}
            connection.execute(insert(export_chunks).values(values))

    def _change(self, file_id: str, **values: Any) -> None:
        mine = _FILE.file_id == file_id
        with self._engine.begin() as connection:
            connection.execute(update(export_files).where(mine).values(**values))

    def _forget(self, which: ColumnElement[bool]) -> None:
        with self._engine.begin() as connection:
            forget(connection, which)


def forget(connection: Connection, which: ColumnElement[bool]) -> None:
    """Delete these files."""
    ids = select(_FILE.file_id).where(which)
    connection.execute(delete(export_chunks).where(export_chunks.c.file_id.in_(ids)))
    connection.execute(delete(export_files).where(which))
