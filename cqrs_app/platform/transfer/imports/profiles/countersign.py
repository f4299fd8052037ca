"""Profile `countersign`: the console's own files, CSV or JSON Lines, as written by `flask export`.

docs/imports.md describes their content.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import plain_json
from cqrs_app.platform.transfer.exports.cells import unguarded
from cqrs_app.platform.transfer.imports.canonical import (
    COMMANDS,
    MAKING,
    Plain,
    Unusable,
    document_of,
)
from cqrs_app.platform.transfer.imports.canonical_csv import HEADER, NEWER, Row, plain_of_rows
from cqrs_app.platform.transfer.imports.documents import Contents, Profile, SetAside, SourceFile
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format, whole
from cqrs_app.platform.transfer.imports.gathered import (
    UNREADABLE,
    Gathered,
    Unreadable,
    contradicting,
    refused,
)
from cqrs_app.platform.transfer.imports.source import SourceRow, read_texts, unpacked
from cqrs_app.platform.transfer.imports.table import open_table

CONSTANT = ("at", "customer_id", "customer_name", "country", "currency")
"""Columns that are the same in all rows of a document."""
_COLUMNS = {
    "order_id": "number",
    "credit_note_id": "number",
    "reason": "credit_reason",
}
"""Fields of the command that have another name than their column."""
LONGEST_DOCUMENT = 16 * 1024**2
"""The maximum size of one document as JSON, in bytes."""


def read(path: Path, given: Format = DETECTED) -> Contents:
    """Raises BadFile if the file as a whole cannot be used."""
    with unpacked(path) as file:
        is_json = file.read(1024).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")
    return _Reading().json_lines(path) if is_json else _Reading().table(path, given)


class _Reading:
    def __init__(self) -> None:
        self._contents = Contents()
        self._taken: set[tuple[str, str]] = set()

    def json_lines(self, path: Path) -> Contents:
        self._contents.files[path.name] = SourceFile(("document",))
        for row in read_texts(path, LONGEST_DOCUMENT):
            self._contents.rows += 1
            self._take(partial(_decoded, row.values[0]), (row,))
        return self._contents

    def table(self, path: Path, given: Format) -> Contents:
        older = [name for name in HEADER if name not in NEWER]
        table = open_table(path, older, optional=NEWER, given=given)
        gathered: Gathered[Row] = Gathered(self._contents)
        for row in table.rows():
            self._contents.rows += 1
            # Not stripped: what was exported comes back as it was.
            found_here = table.texts(row, strip=False)
            texts: Row = dict.fromkeys(HEADER, "") | {
                name: unguarded(text) for name, text in found_here.items()
            }
            if row.problem:
                gathered.unreadable(row, texts["number"], Unreadable(row.problem))
            elif texts["document"] not in MAKING:
                fault = Unreadable(f"Must be {' or '.join(MAKING)}.", "document", texts["document"])
                gathered.unreadable(row, texts["number"], fault)
            else:
                gathered.add(texts["number"], row, texts)
        self._contents.files[path.name] = SourceFile(table.header, table.format, table.ignored)
        for number, found in gathered.documents():
            by_kind: dict[str, list[tuple[SourceRow, Row]]] = {}
            for row, texts in found:
                by_kind.setdefault(texts["document"], []).append((row, texts))
            for each in by_kind.values():
                self._take_rows(number, each)
        return self._contents

    def _take_rows(self, number: str, found: list[tuple[SourceRow, Row]]) -> None:
        rows = tuple(row for row, _ in found)
        for name in CONSTANT:
            contradiction = contradicting(
                number, name, [(row, texts[name]) for row, texts in found]
            )
            if contradiction is not None:
                self._contents.set_aside += [replace(contradiction, row=row) for row in rows]
                return
        self._take(partial(_plain_of, [texts for _, texts in found]), rows)

    def _take(self, plain: Callable[[], Plain], rows: tuple[SourceRow, ...]) -> None:
        try:
            document = document_of(plain(), rows)
        except Invalid as invalid:
            self._contents.set_aside += refused(rows, invalid, _COLUMNS)
            return
        except ValueError as error:
            fault = Unreadable(_sentence(str(error)))
            self._contents.set_aside += [fault.of(row) for row in rows]
            return
        if (document.kind, document.key) in self._taken:
            self._set_aside(rows, "repeated_document")
            return
        self._taken.add((document.kind, document.key))
        self._contents.documents.append(document)

    def _set_aside(self, rows: tuple[SourceRow, ...], reason: str) -> None:
        self._contents.set_aside += [SetAside(row, reason) for row in rows]


def _decoded(text: str) -> Plain:
    try:
        found = plain_json(text)
    except ValueError as error:
        raise Unusable(f"this is no document: {error}") from error
    if not isinstance(found, dict):
        raise Unusable("this is no document: a JSON object is needed")
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _plain_of(rows: list[Row]) -> Plain:
    ordered = sorted(rows, key=lambda row: whole(row["line"])) if len(rows) > 1 else rows
    return plain_of_rows(ordered)


PROFILE = Profile(
    name="countersign",
    read=read,
    commands=(RegisterCustomer, AddProduct, *COMMANDS),
    reasons={
        UNREADABLE: "The document cannot be read.",
        "repeated_document": "The file has this document twice. The first one is used.",
    },
)
