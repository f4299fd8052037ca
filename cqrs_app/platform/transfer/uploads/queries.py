"""Queries of the Imports page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection, Row, and_, case, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.paging import Limit, ListQuery, Mark, Page, Sort
from cqrs_app.platform.transfer.uploads.commands import RUN, ImportId
from cqrs_app.platform.transfer.uploads.receiving import is_started
from cqrs_app.platform.transfer.uploads.tables import imports

_BY_TIME = Sort((imports.c.uploaded_at, imports.c.import_id), datetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """`state`: not_started, waiting, running, done or failed. `done` of `total` documents are
    imported; a total of 0 means that the file is still being read. `set_aside` counts rows.
    `mapping` is JSON or empty; `sentence` tells why it failed. Size in bytes, times in UTC."""

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
    finished_at: datetime | None
    set_aside: int
    sentence: str | None
    mapping: str
    rehearsal: bool

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed")


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
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25


def list_imports(question: ListImports, connection: Connection) -> Page[ImportRow]:
    found = select(*_COLUMNS).where(imports.c.state != "receiving")
    return question.page(found, connection, _row)


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import. `report` is the same as that of the command line, None until it exists."""

    row: ImportRow
    report: dict[str, Any] | None


@query(label="Import", permission=RUN, store="write")
class GetImport(Query):
    """One import, or nothing."""

    import_id: ImportId


def get_import(question: GetImport, connection: Connection) -> ImportView | None:
    found = select(*_COLUMNS, imports.c.report).where(
        imports.c.import_id == question.import_id, imports.c.state != "receiving"
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    report = values.pop("report")
    return ImportView(ImportRow(**values), msgspec.json.decode(report) if report else None)


def _row(row: Row[Any]) -> ImportRow:
    return ImportRow(**row._mapping)
