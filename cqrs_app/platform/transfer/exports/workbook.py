"""Writes rows as an .xlsx workbook, row by row: memory does not grow with their number.

Numbers and times are cells of their kind as far as a workbook can hold them exactly; all else is
text, which no program takes as a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from tempfile import TemporaryFile
from typing import IO, Any

from cqrs_app.platform.transfer.exports.cells import cell
from cqrs_app.platform.transfer.exports.rows import Columns, Rows, values_of

MOST_ROWS = 1_048_576
"""Of a sheet. Further rows are on the next one, below the same header."""
MOST_DIGITS = 15
"""Of a number in a workbook; one with more is text."""
LONGEST_CELL = 32_767
_ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_PIECE = 64 * 1024


def write_xlsx(
    columns: Columns, portions: Iterable[Rows], locale: str = "en_GB"
) -> Iterator[bytes]:
    """The workbook, once all rows were read: it cannot be sent before."""
    with TemporaryFile() as file:
        rows = (values for portion in portions for values in values_of(columns, portion))
        write_workbook(file, tuple(columns), rows)
        file.seek(0)
        yield from iter(lambda: file.read(_PIECE), b"")


def write_workbook(file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    # Imported here: only exports of workbooks need it.
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet: Any = None

    def cells(texts: Iterable[Any]) -> list[Any]:
        made = []
        for value in texts:
            plain = _plain(value)
            one = WriteOnlyCell(sheet, value=plain)
            if isinstance(plain, str):
                # Otherwise it would be a formula if it begins with an equals sign.
                one.data_type = "s"
            made.append(one)
        return made

    count = MOST_ROWS
    for row in _with_header(columns, rows):
        if count >= MOST_ROWS:
            sheet, count = book.create_sheet(), 0
            if row is not columns:
                sheet.append(cells(columns))
                count = 1
        sheet.append(cells(row))
        count += 1
    book.save(file)


def _with_header(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield columns
    yield from rows


def _plain(value: Any) -> Any:
    """The value as a workbook can hold it."""
    match value:
        case None | bool():
            return value
        case Enum():
            return _plain(value.value)
        case int() | Decimal() if len(str(value).strip("-0.").replace(".", "")) <= MOST_DIGITS:
            return value
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None)
        case date() | float():
            return value
        case str():
            return _text(value)
        case _:
            return _text(cell(value))


def _text(value: str) -> str:
    """Control characters, a carriage return among them, are written as OOXML escapes them."""
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value)[:LONGEST_CELL]
