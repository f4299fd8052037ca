"""Queries of the page of scheduled exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.transfer.exports.rows import PERMISSION
from cqrs_app.platform.transfer.schedules.tables import export_files, export_schedules

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledExport:
    """`next_at` is when it is due, or tried again after `failures`; `sentence` says why the last
    attempt failed and is empty if it did not. Times in UTC."""

    schedule: str
    owner: str
    list: str
    view: str
    format: str
    days: str
    at: str
    webhook_id: str
    next_at: datetime
    last_at: datetime | None
    failures: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file that is kept. Size in bytes, times in UTC; `sent_at` if it went to a webhook."""

    file_id: str
    schedule: str
    name: str
    rows: int
    size: int
    made_at: datetime
    sent_at: datetime | None


@query(label="Scheduled exports", permission=PERMISSION, store="write")
class ListScheduledExports(Query):
    """All of them, by name."""


def list_scheduled_exports(
    question: ListScheduledExports, connection: Connection
) -> tuple[ScheduledExport, ...]:
    columns = [export_schedules.c[name] for name in ScheduledExport.__annotations__]
    found = select(*columns).order_by(export_schedules.c.schedule).limit(MOST_SHOWN)
    return tuple(ScheduledExport(**row._mapping) for row in connection.execute(found))


@query(label="Files of scheduled exports", permission=PERMISSION, store="write")
class ListExportFiles(Query):
    """The files of one operator that are kept, newest first."""

    operator: Annotated[str, Meta(title="Operator", min_length=1, max_length=100)]


def list_export_files(question: ListExportFiles, connection: Connection) -> tuple[ExportFile, ...]:
    columns = [export_files.c[name] for name in ExportFile.__annotations__]
    found = (
        select(*columns)
        .where(export_files.c.owner == question.operator, export_files.c.whole)
        .order_by(export_files.c.made_at.desc())
        .limit(MOST_SHOWN)
    )
    return tuple(ExportFile(**row._mapping) for row in connection.execute(found))
