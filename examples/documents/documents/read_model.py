"""The documents as they are shown, and who edited them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from sqlalchemy import Connection, Table, func, select

from cqrs_app.kernel import (
    Count,
    Key,
    ListQuery,
    Projection,
    Query,
    Recorded,
    Rows,
    Sort,
    query,
    table_of,
)
from documents.commands import VIEW, DocumentId, Text, Title
from documents.events import DocumentArchived, DocumentCreated, DocumentEdited
from documents.text import applied

RECENT = timedelta(hours=1)
MOST_EDITORS = 10

Editor = Annotated[str, Meta(title="Editor", max_length=80)]


@dataclass(frozen=True, slots=True)
class DocumentRow:
    document_id: DocumentId
    title: Title
    is_open: Annotated[bool, Meta(title="Open")]
    characters: Annotated[int, Meta(title="Characters")]
    last_edited_by: Annotated[str, Meta(title="Last edited by", max_length=80)]
    last_edited_at: Annotated[datetime, Meta(title="Last edited")]
    applied_version: int


@dataclass(frozen=True, slots=True)
class _StoredDocument(DocumentRow):
    text: Text


@dataclass(frozen=True, slots=True)
class _StoredEdit:
    edit: Annotated[str, Meta(max_length=60)]
    document_id: DocumentId
    editor: Editor
    at: datetime
    applied_version: int


documents = table_of(
    "documents_documents", _StoredDocument, key="document_id", indexed=["last_edited_at"]
)
edits = table_of("documents_edits", _StoredEdit, key="edit", indexed=["document_id"])


class DocumentsProjection(Projection):
    name: ClassVar[str] = "documents"
    tables: ClassVar[tuple[Table, ...]] = (documents, edits)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        yield documents, (recorded.stream.removeprefix("document-"),)

    def document_created(self, event: DocumentCreated, recorded: Recorded, rows: Rows) -> None:
        text = event.text.replace("\r\n", "\n")
        rows.put(
            documents,
            document_id=event.document_id,
            title=event.title,
            is_open=True,
            text=text,
            characters=len(text),
            last_edited_by=recorded.stored.operator,
            last_edited_at=recorded.occurred_at,
            applied_version=recorded.version,
        )

    def document_edited(self, event: DocumentEdited, recorded: Recorded, rows: Rows) -> None:
        row = rows.change(documents, event.document_id)
        row["text"] = applied(row["text"], event.edits)
        row["characters"] = len(row["text"])
        row["last_edited_by"], row["last_edited_at"] = event.editor, recorded.occurred_at
        row["applied_version"] = recorded.version
        rows.put(
            edits,
            edit=f"{event.document_id}-{recorded.version}",
            document_id=event.document_id,
            editor=event.editor,
            at=recorded.occurred_at,
            applied_version=recorded.version,
        )

    def document_archived(self, event: DocumentArchived, recorded: Recorded, rows: Rows) -> None:
        row = rows.change(documents, event.document_id)
        row["is_open"], row["applied_version"] = False, recorded.version


@query(label="Documents", permission=VIEW, reads=("documents",), cached=True)
class ListDocuments(ListQuery):
    """One page of the documents, the latest edited first."""

    sorts: ClassVar = {
        "last_edited_at": Sort((documents.c.last_edited_at, documents.c.document_id), datetime)
    }
    q: Annotated[str, Meta(title="Search", max_length=120)] = ""
    is_open: Annotated[bool | None, Meta(title="Open")] = None
    sort: Literal["last_edited_at"] = "last_edited_at"
    descending: bool = True
    count: Count = False


@dataclass(frozen=True, slots=True)
class RecentEditor:
    editor: Editor
    last_edited_at: Annotated[datetime, Meta(title="Last edited")]
    edits: Annotated[int, Meta(title="Edits")]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document, and who edited it in the last hour: the latest ten."""

    title: Title
    is_open: Annotated[bool, Meta(title="Open")]
    last_edited_by: Annotated[str, Meta(title="Last edited by")]
    last_edited_at: Annotated[datetime, Meta(title="Last edited")]
    applied_version: Annotated[int, Meta(title="Version")]
    text: Text
    recent_editors: Annotated[tuple[RecentEditor, ...], Meta(title="Recent editors")]


@query(label="Document", permission=VIEW, reads=("documents",))
class GetDocument(Query):
    document_id: DocumentId


def get_document(question: GetDocument, connection: Connection) -> DocumentView | None:
    mine = documents.c.document_id == question.document_id
    row = connection.execute(select(documents).where(mine)).one_or_none()
    if row is None:
        return None
    latest = func.max(edits.c.at)
    found = (
        select(edits.c.editor, latest, func.count())
        .where(edits.c.document_id == question.document_id)
        .where(edits.c.at > datetime.now(UTC) - RECENT)
        .group_by(edits.c.editor)
        .order_by(latest.desc(), edits.c.editor)
        .limit(MOST_EDITORS)
    )
    return DocumentView(
        title=row.title,
        is_open=row.is_open,
        last_edited_by=row.last_edited_by,
        last_edited_at=row.last_edited_at,
        applied_version=row.applied_version,
        text=row.text,
        recent_editors=tuple(RecentEditor(*each) for each in connection.execute(found)),
    )
