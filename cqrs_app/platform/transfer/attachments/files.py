"""Files attached to orders: received before the command that names them, and deleted with it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, select, update

from cqrs_app.areas.orders.commands import AttachFile
from cqrs_app.areas.orders.events import AttachmentRemoved, FileAttached
from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.transfer.attachments.media import media_type_of
from cqrs_app.platform.transfer.attachments.tables import order_files

STRAYS_KEPT = timedelta(days=1)
_FILE = order_files.c


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with its content."""

    name: str
    media_type: str
    content: bytes


class OrderFiles:
    """Every method is one short transaction on the write store: a file is one row, since it is
    small."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def receive(self, file_id: str, order_id: str, name: str, content: bytes) -> AttachFile:
        """Store a file; returns the command that attaches it.

        The same file sent again under its id changes nothing. Another one under that id (the Back
        button shows an old form) gets an id made from both. Raises Refused for a file that may not
        be attached; then nothing is stored.
        """
        command = AttachFile(
            order_id=order_id,
            file_id=file_id,
            name=name,
            media_type=media_type_of(name, content),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        row = {
            "file_id": file_id,
            "order_id": order_id,
            "name": name,
            "media_type": command.media_type,
            "size": command.size,
            "sha256": command.sha256,
            "received_at": self._clock(),
            "content": content,
        }
        with self._engine.begin() as connection:
            connection.execute(insert_into(connection, order_files).on_conflict_do_nothing(), row)
        if self.is_received(command):
            return command
        other = uuid.uuid5(uuid.UUID(file_id), f"{order_id}:{name}:{command.sha256}")
        return self.receive(str(other), order_id, name, content)

    def is_received(self, command: AttachFile) -> bool:
        """Whether the file that the command describes is stored."""
        found = select(_FILE.file_id).where(
            _FILE.file_id == command.file_id,
            _FILE.order_id == command.order_id,
            _FILE.name == command.name,
            _FILE.media_type == command.media_type,
            _FILE.size == command.size,
            _FILE.sha256 == command.sha256,
        )
        with self._reader.connect() as connection:
            return connection.execute(found).first() is not None

    def attached(self, order_id: str, number: int) -> StoredFile | None:
        """The attachment of an order with this number."""
        found = select(_FILE.name, _FILE.media_type, _FILE.content).where(
            _FILE.order_id == order_id, _FILE.number == number
        )
        with self._reader.connect() as connection:
            row = connection.execute(found).one_or_none()
        return StoredFile(*row) if row else None

    def strays(self) -> list[str]:
        """The ids of files that nothing attached within a day."""
        found = select(_FILE.file_id).where(
            _FILE.number.is_(None), _FILE.received_at < self._clock() - STRAYS_KEPT
        )
        with self._reader.connect() as connection:
            return list(connection.execute(found).scalars())

    def forget(self, file_id: str) -> None:
        """Delete a file that was not attached."""
        with self._engine.begin() as connection:
            connection.execute(
                delete(order_files).where(_FILE.file_id == file_id, _FILE.number.is_(None))
            )


def follow(connection: Connection, batch: Iterable[Recorded]) -> None:
    """What becomes of stored files with these events."""
    for recorded in batch:
        match recorded.event:
            case FileAttached() as event:
                connection.execute(
                    update(order_files)
                    .where(_FILE.file_id == event.file_id)
                    .values(
                        number=event.number,
                        attached_by=recorded.stored.operator,
                        attached_at=recorded.occurred_at,
                        subject=event.concerns or recorded.stream,
                    )
                )
            case AttachmentRemoved() as event:
                connection.execute(delete(order_files).where(_FILE.file_id == event.file_id))
            case SubjectErased() as event:
                connection.execute(delete(order_files).where(_FILE.subject == event.subject))
