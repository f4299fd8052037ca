"""Stores uploaded files in the write store, so that a worker on any host can read them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import msgspec
from sqlalchemy import Connection, Engine, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import streams
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.history_import import (
    BEING_RECEIVED,
    NO_SUCH_UPLOAD,
    TOO_LARGE,
    HistoryImport,
)
from cqrs_app.platform.transfer.uploads.tables import import_chunks, imports

CHUNK_BYTES = 1024 * 1024
"""One megabyte per transaction, so that others can write in between."""
STRAYS_KEPT = timedelta(days=1)

REASON_FORGOTTEN = "It failed. The reason is no longer kept, since it can quote the file."

UPLOAD = "upload"
SET_ASIDE = "set_aside"


# A scalar subquery looks up one index entry per import. With EXISTS, PostgreSQL may read all
# streams.
is_started = (
    select(streams.c.version)
    .where(streams.c.stream == HistoryImport.category + "-" + imports.c.import_id)
    .scalar_subquery()
    .is_not(None)
)
"""Whether its StartImport is among the events. Only then may it be imported."""


@dataclass(frozen=True, slots=True)
class Received:
    """The command that starts the import of a file; `before` if the file was received earlier."""

    task: StartImport
    before: bool = False


class Files:
    """Receives, returns and deletes uploaded files."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def receive(
        self,
        import_id: str,
        profile: str,
        file_name: str,
        content: BinaryIO,
        by: str,
        most: int,
        *,
        mapping: str = "",
        rehearsal: bool = False,
    ) -> Received:
        """Store a file of at most `most` bytes, to be read as the mapping or the profile says.

        If it is sent again under its id, nothing changes. Another file under that id (the Back
        button shows an old form) is stored under an id derived from both. Raises Refused if the
        file is too large or is being received at this moment; then nothing is stored.
        """
        wanted = (profile, mapping, rehearsal)
        earlier = self._begin(import_id, wanted, file_name, by)
        if earlier is None:
            return Received(self._store(import_id, content, most))
        sha256 = _sha256(content)
        known = (earlier.profile, earlier.mapping, earlier.rehearsal)
        if (known, earlier.sha256) == (wanted, sha256):
            return Received(earlier, before=True)
        content.seek(0)
        name = ":".join((profile, sha256, mapping, "dry run" if rehearsal else ""))
        other_id = str(uuid.uuid5(uuid.UUID(import_id), name.rstrip(":")))
        return self.receive(
            other_id, profile, file_name, content, by, most, mapping=mapping, rehearsal=rehearsal
        )

    def _store(self, import_id: str, content: BinaryIO, most: int) -> StartImport:
        """Store the content of a file that was begun; returns the command that starts its import.
        Raises Refused if it has more than `most` bytes, and forgets it."""
        digest, size = hashlib.sha256(), 0
        try:
            for number, chunk in enumerate(_pieces(content)):
                digest.update(chunk)
                size += len(chunk)
                if size > most:
                    raise too_large(most)
                with self._engine.begin() as connection:
                    _write(connection, import_id, UPLOAD, number, chunk)
        except Refused:
            self._forget([import_id])
            raise
        with self._engine.begin() as connection:
            connection.execute(
                update(imports)
                .where(imports.c.import_id == import_id)
                .values(state="waiting", size=size, sha256=digest.hexdigest())
            )
        task = self.task_of(import_id)
        assert task is not None  # noqa: S101 - it was stored above
        return task

    def plan(self, import_id: str, profile: str, mapping: str, *, rehearsal: bool) -> StartImport:
        """Say how a received file is to be read that was not started yet; returns the command that
        starts it. Raises Refused if there is no such file."""
        planned = (
            update(imports)
            .where(imports.c.import_id == import_id, imports.c.state == "waiting", ~is_started)
            .values(profile=profile, mapping=mapping, rehearsal=rehearsal)
        )
        with self._engine.begin() as connection:
            connection.execute(planned)
        task = self.task_of(import_id)
        if task is None:
            raise NO_SUCH_UPLOAD("The file is not there any more. Send it again.")
        return task

    def copy(self, import_id: str, new_id: str, by: str) -> None:
        """Receive a kept file once more, under another id. Raises Refused if it is dropped."""
        task = self.task_of(import_id)
        with SpooledTemporaryFile(max_size=CHUNK_BYTES) as content:
            content.writelines(self.chunks(import_id, UPLOAD))
            most = content.tell()
            if task is None or not most:
                raise NO_SUCH_UPLOAD(
                    "The file is not there any more: files are deleted after some days, and when a "
                    "customer is erased. Send it again."
                )
            content.seek(0)
            self.receive(
                new_id,
                task.profile,
                task.file_name,
                cast(BinaryIO, content),
                by,
                most,
                mapping=task.mapping,
            )

    def task_of(self, import_id: str) -> StartImport | None:
        """The command that starts the import of a received file; None if there is no such file."""
        columns = imports.c
        fields = [columns[name] for name in hints_of(StartImport)]
        found = select(*fields).where(columns.import_id == import_id, columns.state != "receiving")
        with self._reader.connect() as connection:
            row = connection.execute(found).one_or_none()
        return StartImport(**row._mapping) if row else None

    def is_there(self, task: StartImport) -> bool:
        """Whether the file named by the command was received completely."""
        return self.task_of(task.import_id) == task

    def chunks(self, import_id: str, kind: str) -> Iterator[bytes]:
        """The stored chunks of this kind, in order."""
        number, columns = 0, import_chunks.c
        while True:
            found = select(columns.content).where(
                columns.import_id == import_id, columns.kind == kind, columns.number == number
            )
            with self._reader.connect() as connection:
                content = connection.execute(found).scalar_one_or_none()
            if content is None:
                return
            yield content
            number += 1

    def forget_strays(self) -> None:
        """Delete files that were sent a day ago and never started."""
        now, columns = self._clock(), imports.c
        stray = select(columns.import_id).where(
            columns.state.in_(("receiving", "waiting")),
            columns.uploaded_at < now - STRAYS_KEPT,
            ~is_started,
        )
        with self._reader.connect() as connection:
            strays = list(connection.execute(stray).scalars())
        self._forget(strays)

    def forget_before(self, moment: datetime) -> int:
        """Delete all that finished imports of files that were sent before `moment` hold of their
        rows: the files, the rows set aside, the examples of those in the report, and the sentence
        about a file that could not be read. Returns of how many imports something was deleted."""
        held = select(import_chunks.c.import_id).where(
            import_chunks.c.import_id == imports.c.import_id
        )
        failed = imports.c.state == "failed"
        finished = select(imports.c.import_id, imports.c.report, failed.label("failed")).where(
            imports.c.state.in_(("done", "failed")),
            imports.c.uploaded_at < moment,
            or_(held.exists(), and_(failed, imports.c.sentence != REASON_FORGOTTEN)),
        )
        with self._reader.connect() as connection:
            found = connection.execute(finished).all()
        for import_id, report, has_failed in found:
            mine = update(imports).where(imports.c.import_id == import_id)
            with self._engine.begin() as connection:
                if report is not None:
                    emptied = msgspec.json.decode(report) | {"set_aside_examples": []}
                    connection.execute(mine.values(report=msgspec.json.encode(emptied).decode()))
                if has_failed:
                    connection.execute(mine.values(sentence=REASON_FORGOTTEN))
                connection.execute(
                    delete(import_chunks).where(import_chunks.c.import_id == import_id)
                )
        return len(found)

    def _begin(
        self, import_id: str, wanted: tuple[str, str, bool], file_name: str, by: str
    ) -> StartImport | None:
        profile, mapping, rehearsal = wanted
        row = {
            "import_id": import_id,
            "profile": profile,
            "mapping": mapping,
            "rehearsal": rehearsal,
            "file_name": file_name,
            "size": 0,
            "sha256": "",
            "uploaded_by": by,
            "uploaded_at": self._clock(),
            "state": "receiving",
            "done": 0,
            "total": 0,
            "attempts": 0,
            "set_aside": 0,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(imports).values(row))
        except IntegrityError:
            received = self.task_of(import_id)
            if received is None:
                raise BEING_RECEIVED(
                    "This file is being received already. Look at the imports in a moment."
                ) from None
            return received
        return None

    def _forget(self, import_ids: Iterable[str]) -> None:
        with self._engine.begin() as connection:
            for import_id in import_ids:
                for table in (import_chunks, imports):
                    connection.execute(delete(table).where(table.c.import_id == import_id))


def replace_chunks(connection: Connection, import_id: str, kind: str, whole: bytes) -> None:
    """Replace what is stored under this kind by `whole`."""
    columns = import_chunks.c
    connection.execute(
        delete(import_chunks).where(columns.import_id == import_id, columns.kind == kind)
    )
    for number, start in enumerate(range(0, len(whole), CHUNK_BYTES)):
        _write(connection, import_id, kind, number, whole[start : start + CHUNK_BYTES])


def too_large(most: int) -> Refused:
    """Raised before anything is stored, or after all of it is deleted."""
    return TOO_LARGE(
        f"The file is larger than {most / 1024 / 1024:,.0f} MiB, so nothing was kept or imported. "
        "Pack it (.gz or .xz), send it in parts, or ask whoever runs the console for a higher "
        "MAX_IMPORT_BYTES."
    )


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: content.read(CHUNK_BYTES), b"")


def _sha256(content: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(content):
        digest.update(piece)
    return digest.hexdigest()


def _write(connection: Connection, import_id: str, kind: str, number: int, content: bytes) -> None:
    connection.execute(
        insert(import_chunks).values(import_id=import_id, kind=kind, number=number, content=content)
    )
