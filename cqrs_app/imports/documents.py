"""What a profile makes of a file: documents that become commands, and rows set aside."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cqrs_app.imports.source import SourceRow
from cqrs_app.kernel.messages import Command

NAMESPACE = uuid.UUID("6d6c8f0e-3c1b-5c62-9a55-0c5f8a1c7a10")


@dataclass(frozen=True, slots=True)
class Document:
    """One order or credit note of the file, and the rows it was made from."""

    kind: str
    key: str
    occurred_at: datetime
    command: Command
    rows: tuple[SourceRow, ...]

    def command_id(self, profile: str) -> str:
        """The same for the same document in any file: a second import changes nothing."""
        return str(uuid.uuid5(NAMESPACE, f"{profile}:{self.kind}:{self.key}"))


@dataclass(slots=True)
class Contents:
    """A whole file, read and sorted out; `reasons` are all that the profile can give."""

    rows: int = 0
    documents: list[Document] = field(default_factory=list)
    set_aside: list[tuple[SourceRow, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Profile:
    """How files of one kind are read."""

    name: str
    header: tuple[str, ...]
    reasons: tuple[str, ...]
    read: Callable[[Path], Contents]
