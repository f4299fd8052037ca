"""Profile `countersign`: the console's own files, CSV or JSON Lines, as written by `flask export`.

docs/imports.md describes their content.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
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
    document_of,
    number_field,
)
from cqrs_app.platform.transfer.imports.canonical_csv import (
    HEADER,
    NEWER,
    Row,
    plain_of_rows,
)
from cqrs_app.platform.transfer.imports.canonical_plain import Plain, Unusable
from cqrs_app.platform.transfer.imports.documents import (
    Contents,
    Document,
    Profile,
    SourceFile,
)
from cqrs_app.platform.transfer.imports.fields import READ_FROM
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format, whole
from cqrs_app.platform.transfer.imports.gathered import (
    UNREADABLE,
    Unreadable,
    contradicting,
    documents_of,
    parsed,
    parsed_rows,
    refused,
    unreadable,
)
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import SourceRow, read_texts, unpacked
from cqrs_app.platform.transfer.imports.spooled import SpooledRows, SpooledTexts
from cqrs_app.platform.transfer.imports.table import Table, open_table

CONSTANT = ("at", "customer_id", "customer_name", "country", "currency")
"""Columns that are the same in all rows of a document."""
_COLUMNS = {**READ_FROM, "reason": "credit_reason"}
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
        self._seen = SpooledTexts()

    def json_lines(self, path: Path) -> Contents:
        self._contents.files[path.name] = SourceFile(("document",))
        for _ in read_texts(path, LONGEST_DOCUMENT):
            self._contents.rows += 1
        self._contents.count = self._contents.rows
        self._contents.documents = self._of_json_lines(path)
        return self._contents

    def _of_json_lines(self, path: Path) -> Iterator[Document]:
        for row in read_texts(path, LONGEST_DOCUMENT):
            self._contents.passed += 1
            yield from self._taken(partial(_decoded, row.values[0]), (row,))

    def table(self, path: Path, given: Format) -> Contents:
        older = [name for name in HEADER if name not in NEWER]
        table, rows = open_table(path, older, optional=NEWER, given=given), SpooledRows()
        for row in table.rows():
            self._contents.rows += 1
            rows.add(_texts(table, row)["number"], row)
        self._contents.files[path.name] = SourceFile(table.header, table.format, table.ignored)
        self._contents.columns = _COLUMNS
        self._contents.count = len(rows)
        self._contents.documents = self._of_rows(table, rows)
        return self._contents

    def _of_rows(self, table: Table, rows: SpooledRows) -> Iterator[Document]:
        def parse(row: SourceRow, _: str) -> Row:
            if row.problem:
                raise Unreadable(row.problem)
            texts = _texts(table, row)
            if texts["document"] not in MAKING:
                raise Unreadable(f"Must be {' or '.join(MAKING)}.", "document", texts["document"])
            return texts

        for number, some in documents_of(rows, self._contents):
            by_kind: dict[str, list[tuple[SourceRow, Row]]] = {}
            for row, texts in parsed_rows(some, parse, self._contents):
                by_kind.setdefault(texts["document"], []).append((row, texts))
            for each in by_kind.values():
                yield from self._of_one(number, each)

    def _of_one(self, number: str, found: list[tuple[SourceRow, Row]]) -> Iterator[Document]:
        rows = tuple(row for row, _ in found)
        for name in CONSTANT:
            contradiction = contradicting(
                number, name, [(row, texts[name]) for row, texts in found]
            )
            if contradiction is not None:
                self._contents.set_aside.extend(replace(contradiction, row=row) for row in rows)
                return
        yield from self._taken(partial(_plain_of, [texts for _, texts in found]), rows)

    def _taken(self, plain: Callable[[], Plain], rows: tuple[SourceRow, ...]) -> Iterator[Document]:
        """The document, unless it is set aside."""
        try:
            document = document_of(plain(), rows)
        except Invalid as invalid:
            self._contents.set_aside.extend(refused(rows, invalid, self._contents))
            return
        except Unreadable as fault:
            self._contents.set_aside.extend(unreadable(rows, fault, self._contents))
            return
        except ValueError as error:
            whole_document = Unreadable(_sentence(str(error)))
            self._contents.set_aside.extend(unreadable(rows, whole_document, self._contents))
            return
        if self._seen.add(f"{document.kind} {document.key}"):
            yield document
        else:
            column, number = self._contents.column_of(number_field(document.kind)), document.key
            self._contents.set_aside.extend(
                SetAside(row, "repeated_document", column=column, value=number) for row in rows
            )


def _texts(table: Table, row: SourceRow) -> Row:
    """Not stripped: what was exported comes back as it was."""
    texts = table.texts(row, strip=False)
    return dict.fromkeys(HEADER, "") | {name: unguarded(text) for name, text in texts.items()}


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
    def line_of(row: Row) -> int:
        return parsed(row["line"], whole, "line")

    return plain_of_rows(sorted(rows, key=line_of) if len(rows) > 1 else rows)


PROFILE = Profile(
    name="countersign",
    read=read,
    commands=(RegisterCustomer, AddProduct, *COMMANDS),
    reasons={
        UNREADABLE: "The document cannot be read.",
        "repeated_document": "The file has this document twice. The first one is used.",
    },
)
