"""The formats of an export: convert rows to bytes, a page at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

import msgspec

from cqrs_app.platform.transfer.exports.cells import cell
from cqrs_app.platform.transfer.exports.rows import Rows
from cqrs_app.platform.transfer.exports.workbook import write_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Write = Callable[[Sequence[str], Iterable[Rows]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """`write` takes the columns and the pages of rows."""

    label: str
    mimetype: str
    write: Write


def write_csv(columns: Sequence[str], portions: Iterable[Rows]) -> Iterator[bytes]:
    """RFC 4180 in UTF-8: a header, commas, CRLF, quotes where needed."""
    yield _lines([columns])
    values = attrgetter(*columns) if len(columns) > 1 else lambda row: (getattr(row, columns[0]),)
    for rows in portions:
        yield _lines([map(cell, values(row)) for row in rows])


def write_jsonl(columns: Sequence[str], portions: Iterable[Rows]) -> Iterator[bytes]:
    """One JSON object per line. Money is a string, so that no digit is lost."""
    encoder = msgspec.json.Encoder()
    for rows in portions:
        yield encoder.encode_lines(rows)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format("CSV", "text/csv; charset=utf-8", write_csv),
        "xlsx": Format("Excel", XLSX, write_xlsx),
        "jsonl": Format("JSONL", "application/jsonl; charset=utf-8", write_jsonl),
    }
)
"""File extension -> format."""
