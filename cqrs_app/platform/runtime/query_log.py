"""The query log: a sample of the questions asked, and all that met an error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.store.tables import query_log
from cqrs_app.platform.runtime.commands import SEE_SYSTEM


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """`parameters` are those that were given, as JSON, without texts. `code` is that of the error;
    empty without one."""

    asked_at: datetime
    query: str
    parameters: str
    actor: str
    result: str
    code: str
    ms: float


@query(label="Query log", permission=SEE_SYSTEM, store="write")
class ListQueries(Query):
    """A sample of the queries, and all that met an error, the latest first."""

    errors: Annotated[bool, Meta(title="Errors only")] = False
    limit: Annotated[int, Meta(title="Rows", ge=1, le=200)] = 50


def list_queries(question: ListQueries, connection: Connection) -> tuple[LoggedQuery, ...]:
    columns = query_log.c
    found = select(*(columns[name] for name in LoggedQuery.__annotations__))
    if question.errors:
        found = found.where(columns.code != "")
    rows = connection.execute(found.order_by(columns.id.desc()).limit(question.limit))
    return tuple(LoggedQuery(*row) for row in rows)
