"""The formats of an export: convert rows to bytes, a page at a time."""

from __future__ import annotations

import codecs
import csv
import importlib.util
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

import msgspec
from babel import Locale
from babel.numbers import get_decimal_symbol

from cqrs_app.platform.transfer.exports.cells import cell, cell_for_excel
from cqrs_app.platform.transfer.exports.parquet import PARQUET, write_parquet
from cqrs_app.platform.transfer.exports.rows import Columns, Rows, values_of
from cqrs_app.platform.transfer.exports.workbook import write_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Write(Protocol):
    """Takes what the columns hold, the pages of rows, and the locale of the shop, which matters to
    few formats."""

    def __call__(
        self, columns: Columns, portions: Iterable[Rows], locale: str = "en_GB"
    ) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Format:
    """`extension` is that of its files."""

    label: str
    extension: str
    mimetype: str
    write: Write


def write_csv(columns: Columns, portions: Iterable[Rows], locale: str = "en_GB") -> Iterator[bytes]:
    """RFC 4180 in UTF-8: a header, commas, CRLF, quotes where needed."""
    yield _lines([columns])
    for rows in portions:
        yield _lines([map(cell, values) for values in values_of(columns, rows)])


def write_csv_for_excel(
    columns: Columns, portions: Iterable[Rows], locale: str = "en_GB"
) -> Iterator[bytes]:
    """CSV as Excel opens it with a double click in this locale: with a byte order mark, its
    separator and its decimal sign, and times that it knows, in UTC."""
    sign = get_decimal_symbol(Locale.parse(locale))
    separator = ";" if sign == "," else ","
    write = partial(cell_for_excel, sign=sign)
    yield codecs.BOM_UTF8 + _lines([columns], separator)
    for rows in portions:
        yield _lines([map(write, values) for values in values_of(columns, rows)], separator)


def write_jsonl(
    columns: Columns, portions: Iterable[Rows], locale: str = "en_GB"
) -> Iterator[bytes]:
    """One JSON object per line. Money is a string, so that no digit is lost."""
    encoder = msgspec.json.Encoder()
    for rows in portions:
        yield encoder.encode_lines(rows)


def _lines(rows: Iterable[Iterable[str]], separator: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format("CSV", "csv", "text/csv; charset=utf-8", write_csv),
        "csv-excel": Format("CSV for Excel", "csv", "text/csv; charset=utf-8", write_csv_for_excel),
        "xlsx": Format("Excel", "xlsx", XLSX, write_xlsx),
        "jsonl": Format("JSONL", "jsonl", "application/jsonl; charset=utf-8", write_jsonl),
    }
    | (
        {"parquet": Format("Parquet", "parquet", PARQUET, write_parquet)}
        if importlib.util.find_spec("pyarrow")
        else {}
    )
)
"""Name of a format, as in an address -> format. Parquet needs `requirements-parquet.txt`."""
