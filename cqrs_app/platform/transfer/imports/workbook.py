"""Reads the sheets of an .xlsx workbook as rows of text, within limits.

Cells become what a CSV file of the sheet would have: numbers with a decimal point and the 15 digits
that Excel shows, dates in ISO 8601, of a formula the value that was saved with it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.parsers import expat

from cqrs_app.platform.transfer.imports.source import (
    BadFile,
    SourceRow,
    most_unpacked,
)

MOST_ROWS = 1_048_576
"""Of a sheet, according to Excel. A damaged file may number its rows higher."""
MOST_COLUMNS = 500
MAX_TEXTS = 128 * 1024**2
"""Bytes of the texts of a workbook, which are held in memory."""
PROLOG = 64 * 1024
"""Bytes of a part of the archive within which its first element begins."""
LONGEST_CELL = 32_767
"""Characters, according to Excel."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_TEXTS = "sst"
"""The element of the texts that cells share."""
_OTHER_KINDS = {
    "xl/workbook.bin": "an .xlsb workbook",
    "content.xml": "an OpenDocument workbook (.ods)",
    "Index/Document.iwa": "a Numbers workbook",
}
"""A file in the archive -> what the archive is then."""


def is_workbook(path: Path) -> bool:
    """Whether a file is an .xlsx workbook. Raises BadFile for one of another kind, one that is
    protected and one that is too large."""
    try:
        return _is_workbook(path)
    except BadFile:
        raise
    except Exception as error:
        # zipfile raises more than BadZipFile: of names in another encoding, of unknown versions.
        raise BadFile(f"{path.name} cannot be read: {error}. Nothing was imported.") from error


def first_rows(path: Path) -> dict[str, SourceRow | None]:
    """The first row of each visible sheet. The workbook is opened once: with its texts, that takes
    seconds. Raises BadFile, also if it has no such sheet."""
    with _opened(path) as book:
        visible = [each for each in book.worksheets if each.sheet_state == "visible"]
        found = {each.title: next(_rows(path, each), None) for each in visible}
    if not found:
        raise BadFile(f"{path.name} has no visible sheet with cells. Nothing was imported.")
    return found


def sheet_rows(path: Path, sheet: str) -> Generator[SourceRow, None, None]:
    """The rows of a sheet that are not blank, without the blank cells at their ends. Memory holds
    one row and the texts of the workbook. Raises BadFile."""
    with _opened(path) as book:
        # Charts have sheets of their own, without cells.
        sheets = {each.title: each for each in book.worksheets}
        if sheet not in sheets:
            raise BadFile(
                f"{path.name} has no sheet {sheet}. It has {', '.join(sheets)}. "
                "Nothing was imported."
            )
        yield from _rows(path, sheets[sheet])


def _rows(path: Path, sheet: Any) -> Iterator[SourceRow]:
    # What the file says of its size may be wrong.
    sheet.reset_dimensions()
    rows = _guarded(path, sheet.iter_rows(values_only=True))
    for number, cells in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise _damaged(path, f"it numbers a row higher than {MOST_ROWS:,}")
        if len(cells) > MOST_COLUMNS:
            raise _damaged(path, f"row {number} has more than {MOST_COLUMNS} columns")
        values = [_text(cell) for cell in cells]
        while values and not values[-1].strip():
            values.pop()
        if values:
            yield SourceRow(path.name, number, tuple(values))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    # Imported here: only imports of workbooks need it. It raises whatever its parsers raise.
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise _damaged(path, str(error)) from error
    try:
        yield book
    finally:
        book.close()


def _guarded(path: Path, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    try:
        yield from rows
    except Exception as error:
        raise _damaged(path, str(error)) from error


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(8)
        if start == _OLE:
            raise _other_kind(path, file.read(MAX_TEXTS))
    if not start.startswith(_ZIP):
        return False
    with zipfile.ZipFile(path) as archive:
        _check(path, archive)
    return True


def _check(path: Path, archive: zipfile.ZipFile) -> None:
    names = {each.filename: each for each in archive.infolist()}
    for inner, kind in _OTHER_KINDS.items():
        if inner in names:
            raise _not_xlsx(path, kind)
    if "xl/workbook.xml" not in names:
        raise _not_xlsx(path, "a .zip archive without a workbook")
    unpacked = sum(each.file_size for each in names.values())
    if unpacked > most_unpacked(path):
        raise _too_large(path)
    for name, each in names.items():
        with archive.open(name) as part:
            element = _first_element(path, part.read(PROLOG))
        # The part of the shared texts may have any name.
        if element == _TEXTS and each.file_size > MAX_TEXTS:
            raise _too_large(path)


def _first_element(path: Path, start: bytes) -> str:
    """The name of a part's first element, without its prefix; empty if it is no XML. With the
    entities of a document type declaration, a small file fills any memory. OOXML forbids them."""
    begun: list[str] = []

    def begin(name: str, _: object) -> None:
        begun.append(name)

    def refuse(*_: object) -> None:
        raise _damaged(path, "it has a document type declaration")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse
    with suppress(expat.ExpatError):  # a picture, or damaged: its reader notices
        parser.Parse(start, len(start) < PROLOG)
        if not begun:
            raise _damaged(path, "one of its parts does not begin")
    return begun[0].rpartition(":")[2] if begun else ""


def _too_large(path: Path) -> BadFile:
    return BadFile(
        f"{path.name} is too large when unpacked. Cut it in parts and import each of them. "
        "Nothing was imported."
    )


def _other_kind(path: Path, content: bytes) -> BadFile:
    if _ENCRYPTED in content:
        return BadFile(
            f"{path.name} is protected with a password. Save it without one and import it again. "
            "Nothing was imported."
        )
    return _not_xlsx(path, "an .xls workbook of Excel 97 to 2003")


def _not_xlsx(path: Path, kind: str) -> BadFile:
    return BadFile(
        f"{path.name} is {kind}. Save it as .xlsx or .csv and import it again. "
        "Nothing was imported."
    )


def _damaged(path: Path, why: str) -> BadFile:
    return BadFile(
        f"{path.name} cannot be read as a workbook: {why.rstrip('.') or 'it is damaged'}. "
        "Open it in a spreadsheet program, save it again and import that file. "
        "Nothing was imported."
    )


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{Decimal(f'{value:.15g}'):f}"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            from openpyxl.utils.escape import unescape

            return _storable(unescape(str(value)))[:LONGEST_CELL]


def _storable(text: str) -> str:
    """The text without what neither UTF-8 nor PostgreSQL can hold: escapes in a cell may stand for
    half a character, or for a zero."""
    if "\0" not in text and text.isprintable():
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "\ufffd")
