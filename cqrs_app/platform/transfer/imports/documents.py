"""What a profile makes of a file: documents that become commands, and rows set aside."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.transfer.imports.source import SourceRow

NAMESPACE = uuid.UUID("6d6c8f0e-3c1b-5c62-9a55-0c5f8a1c7a10")

Kind = Literal["order", "credit_note"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, at `at` (UTC). `name` tells a document's steps apart; the first
    needs none. `doubts` are what cannot be about the time that the file has."""

    at: datetime
    command: Command
    name: str = ""
    doubts: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One order or credit note of the file: what happened to it, in order, the first step brings
    it into being; and the rows it was made from."""

    kind: Kind
    key: str
    steps: tuple[Step, ...]
    rows: tuple[SourceRow, ...]

    @property
    def lines(self) -> int:
        """How many lines the order or credit note has."""
        first: Any = self.steps[0].command
        return len(first.lines)

    def command_id(self, profile: str, step: Step) -> str:
        """The same for the same step in any file: a second import changes nothing."""
        return fixed_id(profile, self.kind, self.key, step.name)


@dataclass(slots=True)
class Contents:
    """A whole file, or several that belong together, read and sorted out.

    `headers` names the columns of each file's rows.
    """

    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows: int = 0
    documents: list[Document] = field(default_factory=list)
    set_aside: list[tuple[SourceRow, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How files of one kind are read.

    `read` raises BadFile when the file as a whole cannot be used. `commands` are those its
    documents consist of: an import may do nothing else. `reasons` are what rows are set aside
    for; `is_charge` tells of a SKU whether it stands for freight, a fee or the like, not for goods:
    no stock is kept of it, and the report counts it as a charge.
    """

    name: str
    read: Callable[[Path], Contents]
    commands: tuple[type[Command], ...]
    reasons: tuple[str, ...] = ()
    is_charge: Callable[[str], bool] = lambda sku: False


def fixed_id(*parts: str) -> str:
    """The command id that the same parts lead to every time; blank ones do not count."""
    return str(uuid.uuid5(NAMESPACE, ":".join(part for part in parts if part)))
