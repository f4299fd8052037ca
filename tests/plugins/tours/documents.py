"""Every door of documents; conflicts, recent editors, snapshots."""

from __future__ import annotations

from sqlalchemy import select

from cqrs_app.kernel.store.tables import streams
from tests.plugins.tours.console import Console

PLAN = "Monday: pack.\n\nTuesday: ship.\n\nWednesday: count."


def tour(console: Console) -> None:
    from documents.commands import ApplyDocumentEdit, ArchiveDocument, CreateDocument

    sent = console.send_form("CreateDocument", document_id="PLAN", title="Plan", text=PLAN)
    assert sent.location == "/documents/PLAN", sent.text
    form = console.ada.get("/commands/SaveDocument?document_id=PLAN").text
    assert "Wednesday: count." in form
    assert 'name="base_version"' in form

    # Two people edit version 1: what they change elsewhere is merged, the same place is not.
    first = console.send_form(
        "SaveDocument", document_id="PLAN", base_version="1", text=PLAN.replace("pack", "sort")
    )
    assert first.status_code in (204, 303), first.text
    body = {"document_id": "PLAN", "base_version": 1, "text": PLAN.replace("count", "rest")}
    merged = console.api("POST", "/commands/SaveDocument", json=body)
    assert merged.status_code in (200, 201), merged.text
    body["text"] = PLAN.replace("pack", "clean")
    conflict = console.api("POST", "/commands/SaveDocument", json=body)
    assert conflict.status_code == 422, conflict.text
    assert conflict.json["code"] == "edit_conflict"
    assert "changed “pack” to “sort”" in conflict.text
    typed = console.send_form(
        "SaveDocument", document_id="PLAN", base_version="1", merge="y", text=body["text"]
    )
    assert "changed “pack” to “sort”" in typed.text
    assert "Monday: clean." in typed.text, "what was typed is kept"

    shown = console.api("GET", "/queries/GetDocument?document_id=PLAN").json["value"]
    assert shown["text"] == PLAN.replace("pack", "sort").replace("count", "rest")
    assert [each["editor"] for each in shown["recent_editors"]] == ["ada"]
    assert shown["recent_editors"][0]["edits"] == 2
    console.pages(
        ("/documents", "Plan"),
        ("/documents?q=rest", "1 document"),
        ("/documents/PLAN", "Recent editors"),
        ("/documents/PLAN/now", "Wednesday: rest."),
        ("/past?stream=document-PLAN&version=1", "Wednesday: count."),
        ("/search?q=plan", "/documents/PLAN"),
        ("/exports/ListDocuments.csv", "PLAN"),
        ("/catalogue/SaveDocument", "edit_conflict"),
    )

    # A large document is snapshot at intervals, and its state is still that of its events.
    console.run(CreateDocument(document_id="BOOK", title="Book", text="word " * 2_000))
    for number in range(55):
        console.run(
            ApplyDocumentEdit(
                document_id="BOOK", base_version=number + 1, position=0, text=f"{number} "
            )
        )
    with console.services.kernel.engines.write.connect() as connection:
        row = connection.execute(
            select(streams.c.version, streams.c.snapshot_version).where(
                streams.c.stream == "document-BOOK"
            )
        ).one()
    assert row.version == 56
    assert 1 < row.snapshot_version < 56
    console.verify()
    read = console.flask("query", "GetDocument", "--document-id", "BOOK")
    assert "54 53 52" in read.output, read.output

    console.run(CreateDocument(document_id="OLD", title="Old plan"))
    console.batch("ArchiveDocument", {"q": ["old plan"]})
    console.pages(("/documents?is_open=0", "Old plan"), ("/documents?is_open=1&q=old", "No doc"))
    console.needs_a_second_signature(ArchiveDocument(document_id="PLAN"), "PLAN")
