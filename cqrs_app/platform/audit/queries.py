"""The list of security events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, or_, select

from cqrs_app.kernel.messages.messages import query
from cqrs_app.kernel.messages.normal import NormalForm
from cqrs_app.kernel.queries.paging import Count, Limit, ListQuery, Mark, Page, Sort
from cqrs_app.platform.audit.commands import VIEW
from cqrs_app.platform.audit.entries import AuditEntry
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.read_models import audit_entries

_ROW = audit_entries.c
_COLUMNS = [_ROW[each.name] for each in fields(AuditEntry)]
Outcome = Literal["succeeded", "refused"]
Moment = Annotated[datetime, Meta(tz=True)]


@query(label="Audit", permission=VIEW, reads=("audit",), step_up=True)
class ListSecurityEvents(ListQuery):
    """One page of the security events that match, newest first. `who` is an operator or a token:
    what they did, and what was tried with their account."""

    sorts: ClassVar = MappingProxyType({"at": Sort((_ROW.at, _ROW.event_id), datetime)})
    sort: ClassVar = "at"
    descending: ClassVar = True
    who: Annotated[str, NormalForm(str.casefold), Meta(title="Who", max_length=200)] = ""
    kind: Annotated[Kind | None, Meta(title="Kind")] = None
    outcome: Annotated[Outcome | None, Meta(title="Outcome")] = None
    since: Annotated[Moment | None, Meta(title="Since")] = None
    until: Annotated[Moment | None, Meta(title="Until")] = None
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 50
    count: Count = False


def list_security_events(question: ListSecurityEvents, connection: Connection) -> Page[AuditEntry]:
    found = select(*_COLUMNS).where(*_conditions(question))
    return question.page(found, connection, _entry)


def _conditions(question: ListSecurityEvents) -> Iterator[ColumnElement[bool]]:
    if question.who:
        yield or_(_ROW.who == question.who, _ROW.account == question.who)
    if question.kind:
        yield _ROW.kind == str(question.kind)
    if question.outcome:
        yield _ROW.success.is_(question.outcome == "succeeded")
    if question.since:
        yield _ROW.at >= question.since
    if question.until:
        yield _ROW.at < question.until


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**row._mapping)
