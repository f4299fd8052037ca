"""Profile `countersign`: the console's own files, CSV or JSON Lines, as written by `flask export`.

docs/imports.md describes their content.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import plain_json
from cqrs_app.platform.transfer.imports.canonical import (
    COMMANDS,
    MAKING,
    Plain,
    Unusable,
    document_of,
)
from cqrs_app.platform.transfer.imports.canonical_csv import HEADER, NEWER, plain_of_rows
from cqrs_app.platform.transfer.imports.documents import Contents, Profile
from cqrs_app.platform.transfer.imports.gathered import UNREADABLE, Gathered
from cqrs_app.platform.transfer.imports.lines import whole
from cqrs_app.platform.transfer.imports.source import SourceRow, read_rows, read_texts

LONGEST_DOCUMENT = 16 * 1024**2
"""The maximum size of one document as JSON, in bytes."""


def read(path: Path) -> Contents:
    """Raises BadFile if the file as a whole cannot be used."""
    starts = next(read_texts(path, LONGEST_DOCUMENT), None)
    is_json = starts is not None and starts.values[0].startswith("{")
    return _Reading().json_lines(path) if is_json else _Reading().table(path)


class _Reading:
    def __init__(self) -> None:
        self._contents = Contents()
        self._taken: set[tuple[str, str]] = set()

    def json_lines(self, path: Path) -> Contents:
        self._contents.headers[path.name] = ("document",)
        for row in read_texts(path, LONGEST_DOCUMENT):
            self._contents.rows += 1
            self._take(partial(_decoded, row.values[0]), (row,))
        return self._contents

    def table(self, path: Path) -> Contents:
        self._contents.headers[path.name] = HEADER
        gathered: Gathered[str] = Gathered(self._contents)
        for row in read_rows(path, HEADER, newer=len(NEWER)):
            self._contents.rows += 1
            kind, number, *_ = (*row.values, "", "")
            if len(row.values) == len(HEADER) and kind in MAKING:
                gathered.add(number, row, kind)
            else:
                gathered.unreadable(row, number)
        for _, found in gathered.documents():
            by_kind: dict[str, list[SourceRow]] = {}
            for row, kind in found:
                by_kind.setdefault(kind, []).append(row)
            for rows in by_kind.values():
                self._take(partial(_plain_of, rows), tuple(rows))
        return self._contents

    def _take(self, plain: Callable[[], Plain], rows: tuple[SourceRow, ...]) -> None:
        try:
            document = document_of(plain(), rows)
        except (Invalid, ValueError):
            self._set_aside(rows, UNREADABLE)
            return
        if (document.kind, document.key) in self._taken:
            self._set_aside(rows, "repeated_document")
            return
        self._taken.add((document.kind, document.key))
        self._contents.documents.append(document)

    def _set_aside(self, rows: tuple[SourceRow, ...], reason: str) -> None:
        self._contents.set_aside += [(row, reason) for row in rows]


def _decoded(text: str) -> Plain:
    try:
        found = plain_json(text)
    except ValueError as error:
        raise Unusable(f"this is no document: {error}") from error
    if not isinstance(found, dict):
        raise Unusable("this is no document: a JSON object is needed")
    return found


def _plain_of(rows: list[SourceRow]) -> Plain:
    by_name = [dict(zip(HEADER, row.values, strict=True)) for row in rows]
    if len(by_name) > 1:
        by_name.sort(key=lambda row: whole(row["line"]))
    return plain_of_rows(by_name)


PROFILE = Profile(
    name="countersign",
    read=read,
    commands=(RegisterCustomer, AddProduct, *COMMANDS),
    reasons=(UNREADABLE, "repeated_document"),
)
