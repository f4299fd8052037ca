"""What a profile reads from a file: documents that become commands, and rows set aside."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from cqrs_app.areas.orders.events import OrderFlagged
from cqrs_app.kernel.commands.performer import NO_SOURCE, Source
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.set_aside import SetAsideRows
from cqrs_app.platform.transfer.imports.source import SourceRow

NAMESPACE = uuid.UUID("6d6c8f0e-3c1b-5c62-9a55-0c5f8a1c7a10")

Kind = Literal["order", "credit_note", "expense_claim"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, at `at` (UTC). `name` distinguishes the steps of a document; the
    first needs none. `doubts` are objections from the file; those with a code in `waived` need no
    flag, since the file does not record what they are about. `source` is what else the file says of
    it."""

    at: datetime
    command: Command
    name: str = ""
    doubts: tuple[Refused, ...] = ()
    waived: frozenset[str] = frozenset()
    source: Source = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Taken:
    """What is kept of a document that was imported. `case` is that of the file which it belongs to,
    `lines` the number of its lines, or of its steps where it has no lines."""

    kind: Kind
    key: str
    case: str
    rows: int
    lines: int


@dataclass(frozen=True, slots=True)
class Document:
    """One order, credit note or expense claim of the file: its steps, in order, of which the first
    creates it, and the rows it was read from. `email` is that of its customer; `case` names what
    several documents of the file belong to."""

    kind: Kind
    key: str
    steps: tuple[Step, ...]
    rows: tuple[SourceRow, ...]
    email: str = ""
    case: str = ""

    @property
    def taken(self) -> Taken:
        first: Any = self.steps[0].command
        steps = [step for step in self.steps if step.source.activity]
        lines = len(getattr(first, "lines", steps))
        return Taken(self.kind, self.key, self.case, len(self.rows), lines)

    def command_id(self, series: str, step: Step) -> str:
        """The same for the same step in any file, so that a second import changes nothing."""
        return fixed_id(series, self.kind, self.key, step.name)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """How a file was read: its columns, those that were ignored, and those that it may have and
    does not."""

    header: tuple[str, ...]
    format: Format = DETECTED
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class Contents:
    """The content of a file, or of several that belong together, by name.

    The file was read once, so that it can be used as a whole; its `documents` are made one by one,
    in order and only once. `passed` counts those that were looked at, of `count` at most. The rows
    set aside, and `differing_times`, are complete when there are no more documents: the latter
    counts those whose rows have different times, of which the first one was used. `columns` maps
    fields of commands, and `occurred_at`, to the columns that they are read from, where those have
    other names.
    """

    files: dict[str, SourceFile] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    documents: Iterable[Document] = ()
    count: int = 0
    passed: int = 0
    set_aside: SetAsideRows = field(default_factory=SetAsideRows)
    differing_times: int = 0

    def column_of(self, path: str) -> str:
        """The column of a field of a command, which may be in one of its values
        (`lines.0.unit_price`)."""
        name = path.rpartition(".")[2]
        return self.columns.get(path) or self.columns.get(name) or name

    def text_of(self, row: SourceRow, column: str) -> str:
        """What a row has in this column; blank if its file has no such column."""
        file = self.files.get(row.file)
        named = zip(file.header if file else (), row.values, strict=False)
        wanted = column.casefold()
        return next((text.strip() for name, text in named if name.casefold() == wanted), "")


class ImportReport(Protocol):
    """The result of an import, read from the read models."""

    @property
    def commands_per_second(self) -> float:
        """How fast the commands were carried out."""

    @property
    def adds_up(self) -> bool:
        """Whether rows taken and set aside are the rows read."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How files of one kind are read.

    `read` is given a path, and the format if it is not to be detected; it raises BadFile if the
    file as a whole cannot be used. `commands` are those that its documents consist of; an import
    can run no others. `reasons` maps those for which it sets rows aside to a sentence. `is_charge`
    returns whether a SKU stands for freight, a fee or the like: such a product has no stock, and
    the report counts it as a charge. Profiles of one `series` (its own name, if none is given) know
    the same documents again. `read_back` makes the report, that of orders unless given; `flagged`
    is the event that flags what the rules would refuse.
    """

    name: str
    series: str = ""
    read: Callable[[Path, Format], Contents]
    commands: tuple[type[Command], ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    is_charge: Callable[[str], bool] = lambda sku: False
    read_back: Callable[..., ImportReport] | None = None
    flagged: type[Event] = OrderFlagged


def series_of(profile: Profile) -> str:
    """The first part of the ids of its commands."""
    return profile.series or profile.name


def fixed_id(*parts: str) -> str:
    """A command id derived from these parts. Blank ones are ignored."""
    return str(uuid.uuid5(NAMESPACE, ":".join(part for part in parts if part)))
