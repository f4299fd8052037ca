"""The first rows of a file, and the orders that they would become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from cqrs_app.areas.orders.amounts import amount_of, price_of, sums_of
from cqrs_app.platform.transfer.imports.documents import Document
from cqrs_app.platform.transfer.imports.fields import STATUSES
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.mapping import REASONS, ColumnMapping, line_file, merged
from cqrs_app.platform.transfer.imports.scratch import scratch
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.platform.transfer.imports.table import read_header

MOST_ROWS = 200
MOST_ORDERS = 5
MOST_SHOWN = 5
"""Rows of a file that are shown as they are."""
MOST_VALUES = 12
"""Of one status."""
MOST_FAULTS = 10
STEPS = {
    "note": "note",
    "payment": "paid",
    "refunded": "refunded",
    "approved": "approved",
    "shipped": "shipped",
    "delivered": "delivered",
    "rejected": "rejected",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The first rows of a file. `values` are those of each column that differ."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    values: Mapping[str, tuple[str, ...]]
    format: Format


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedOrder:
    """An order as it would be imported. `sums` are those of its discounts and charges by kind;
    `events` what happens to it later, `doubts` sentences about it."""

    number: str
    at: datetime
    customer: str
    country: str
    currency: str
    lines: tuple[Any, ...]
    items: Decimal
    sums: Mapping[str, Decimal]
    total: Decimal
    events: tuple[tuple[str, datetime], ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`orders` are the first of `found` in the rows that were read; `faults` say why some of their
    rows would be set aside."""

    orders: tuple[PreviewedOrder, ...] = ()
    found: int = 0
    rows: int = 0
    faults: tuple[SetAside, ...] = ()
    format: Format = field(default_factory=Format)


@contextmanager
def as_file(name: str, chunks: Iterable[bytes]) -> Iterator[Path]:
    """An uploaded file as one on disk, for as long as it is looked at."""
    with scratch() as folder:
        path = folder / name
        with path.open("wb") as file:
            file.writelines(chunks)
        yield path


def read_sheet(path: Path, given: Format = DETECTED) -> Sheet:
    """Raises BadFile."""
    table = read_header(path, (), given)
    # As an import reads them.
    rows = [tuple(map(str.strip, row.values)) for row in islice(table.rows(), MOST_ROWS)]
    if not rows:
        raise BadFile(f"{path.name} has no rows below its header.")
    values = {
        name: tuple(dict.fromkeys(row[index] for row in rows if len(row) > index and row[index]))
        for index, name in enumerate(table.header)
    }
    return Sheet(
        header=table.header, rows=tuple(rows[:MOST_SHOWN]), values=values, format=table.format
    )


def statuses_in(sheet: Sheet, mapping: ColumnMapping) -> tuple[str, ...]:
    """The values of the statuses that are mapped, in small letters."""
    columns = (mapping.columns.get(name, "") for name in STATUSES)
    found = (value.casefold() for each in columns for value in sheet.values.get(each, ()))
    return tuple(dict.fromkeys(found))[:MOST_VALUES]


def preview_of(path: Path, mapping: ColumnMapping) -> Preview:
    """Raises BadFile, and BadMapping if something is missing in the mapping."""
    contents = line_file(mapping).read(path, merged(mapping.format, DETECTED), most=MOST_ROWS)
    documents = list(contents.documents)
    contents.set_aside.explain(REASONS)
    [file] = contents.files.values()
    return Preview(
        orders=tuple(map(_previewed, documents[:MOST_ORDERS])),
        found=len(documents),
        rows=contents.rows,
        faults=tuple(islice(contents.set_aside, MOST_FAULTS)),
        format=file.format,
    )


def _previewed(document: Document) -> PreviewedOrder:
    first, *later = document.steps
    placed: Any = first.command
    return PreviewedOrder(
        number=document.key,
        at=first.at,
        customer=placed.customer_name or document.email or placed.customer_id,
        country=placed.country or placed.shipping_address.country,
        currency=placed.currency,
        lines=placed.lines,
        items=price_of(placed.lines),
        sums=sums_of(placed.lines, placed.adjustments),
        total=amount_of(placed.lines, placed.adjustments),
        events=tuple((STEPS[each.name], each.at) for each in later if each.name in STEPS),
        doubts=tuple(doubt.why for doubt in first.doubts),
    )
