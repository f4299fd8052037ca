"""Documents that several people edit at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cqrs_app.kernel import Area, Command, listed, projected
from cqrs_app.plugins import Pages, Plugin
from documents import events
from documents.commands import ArchiveDocument, CreateDocument, SaveDocument
from documents.document import Document
from documents.read_model import (
    DocumentRow,
    DocumentsProjection,
    GetDocument,
    ListDocuments,
    documents,
    get_document,
)

DOCUMENTS = Area(
    name="documents",
    aggregates=[Document],
    events=events,
    projections=[DocumentsProjection()],
    answers={
        ListDocuments: listed(documents, DocumentRow, search=["document_id", "title", "text"]),
        GetDocument: projected(get_document),
    },
)


def _demo(now: datetime) -> Iterator[tuple[datetime, Command]]:
    first = "How we work.\n\nOrders are packed by noon.\n\nReturns wait in the back.\n"
    later = first.replace("by noon", "by 11 o'clock")
    yield (
        now - timedelta(days=2),
        CreateDocument(document_id="HANDBOOK", title="Handbook of the warehouse", text=first),
    )
    yield (
        now - timedelta(minutes=20),
        SaveDocument(document_id="HANDBOOK", base_version=1, text=later),
    )


PLUGIN = Plugin(
    api=1,
    package="documents",
    area=DOCUMENTS,
    pages=[
        Pages(
            aggregate=Document,
            path="documents",
            list=ListDocuments,
            get=GetDocument,
            starts=[CreateDocument],
            batched=[ArchiveDocument],
            icon="note",
        )
    ],
    demo=_demo,
    web="documents.web",
)
