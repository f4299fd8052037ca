"""Queries of the Imports page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection, Row, and_, case, select

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.paging import ListQuery, Page, Sort
from cqrs_app.platform.transfer.exports.rows import PERMISSION as EXPORT
from cqrs_app.platform.transfer.uploads.commands import RUN, ImportId
from cqrs_app.platform.transfer.uploads.receiving import is_started
from cqrs_app.platform.transfer.uploads.tables import imports

_BY_TIME = Sort((imports.c.uploaded_at, imports.c.import_id), datetime)


@dataclass(frozen=True, slots=True)
class Pace:
    """Documents per second, and the seconds that are left at that rate."""

    per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """`state`: not_started, waiting, running, done or failed. `done` of `total` documents are
    imported or set aside; a total of 0 means that the file is still being read. `started_at` and
    `read_at`, when that ended, are those of this attempt. `set_aside` counts rows. `mapping` is
    JSON or empty; `sentence` tells why it failed. Size in bytes, times in UTC."""

    import_id: str
    profile: str
    file_name: str
    size: int
    sha256: str
    uploaded_by: str
    uploaded_at: datetime
    state: str
    done: int
    total: int
    attempts: int
    started_at: datetime | None
    first_started_at: datetime | None
    read_at: datetime | None
    finished_at: datetime | None
    set_aside: int
    sentence: str | None
    mapping: str
    rehearsal: bool

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed")

    def pace(self, now: datetime) -> Pace | None:
        """How fast documents come in; None if that is not known."""
        if self.read_at is None or not self.done or self.is_over:
            return None
        per_second = self.done / max((now - self.read_at).total_seconds(), 0.001)
        return Pace(per_second, (self.total - self.done) / per_second)


_STATE = case(
    # StartImport was refused, or is still queued.
    (and_(imports.c.state == "waiting", ~is_started), "not_started"),
    else_=imports.c.state,
)
_COLUMNS = [
    _STATE.label("state") if name == "state" else imports.c[name]
    for name in ImportRow.__annotations__
]


@query(label="Imports", permission=RUN, store="write")
class ListImports(ListQuery):
    """One page of imports, newest first; `after` and `before` are marks from an earlier page."""

    sorts: ClassVar[Mapping[str, Sort]] = {"uploaded_at": _BY_TIME}
    sort: ClassVar[str] = "uploaded_at"
    descending: ClassVar[bool] = True


def list_imports(question: ListImports, connection: Connection) -> Page[ImportRow]:
    found = select(*_COLUMNS).where(imports.c.state != "receiving")
    return question.page(found, connection, _row)


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import. `report` is the same as that of the command line, None until it exists; without
    examples of rows for those who may not see rows of the file."""

    row: ImportRow
    report: dict[str, Any] | None


def sees_rows(actor: Actor, row: ImportRow) -> bool:
    """Rows of a file may hold anything: whoever sent it sees them, and whoever may take data out of
    the console."""
    return row.uploaded_by == actor.name or actor.may(EXPORT)


@query(label="Import", permission=RUN, store="write")
class GetImport(Query):
    """One import, or nothing."""

    import_id: ImportId


def get_import(question: GetImport, connection: Connection, reader: Actor) -> ImportView | None:
    found = select(*_COLUMNS, imports.c.report).where(
        imports.c.import_id == question.import_id, imports.c.state != "receiving"
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    stored = values.pop("report")
    shown, report = ImportRow(**values), msgspec.json.decode(stored) if stored else None
    if report and not sees_rows(reader, shown):
        report["set_aside_examples"] = []
    return ImportView(shown, report)


def _row(row: Row[Any]) -> ImportRow:
    return ImportRow(**row._mapping)
