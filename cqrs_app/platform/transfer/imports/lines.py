"""Reads files with one row per line of an order or credit note. A profile only names the
columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

from cqrs_app.areas.orders.commands import PlaceOrder, RecordCreditNote
from cqrs_app.areas.orders.types import CreditedLine, OrderLine
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.kernel.messages.decimals import decimal_problem, is_readable
from cqrs_app.platform.transfer.imports.clock import LocalClock
from cqrs_app.platform.transfer.imports.documents import Contents, Document, Kind, Step
from cqrs_app.platform.transfer.imports.gathered import UNREADABLE, Gathered
from cqrs_app.platform.transfer.imports.lifecycle import life_of
from cqrs_app.platform.transfer.imports.source import SourceRow, read_rows

Column = str | Callable[[Mapping[str, str]], str]
"""The name of a column, or a function that makes a text from the row (column name -> text)."""

_PAYABLE = {"ge": Decimal(-(10**12)), "le": Decimal(10**12), "places": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A parsed row. `at` (UTC) is the time of the order or credit note `number`. `doubts` are keyed
    by time: "at" or one of `moments`."""

    source: SourceRow
    number: str
    at: datetime
    country: str
    currency: str
    sku: str
    quantity: int
    unit_price: Decimal
    description: str = ""
    customer_id: str = ""
    customer_name: str = ""
    moments: Mapping[str, datetime] = field(default_factory=dict)
    doubts: Mapping[str, tuple[Refused, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFile:
    """How a file of lines is parsed.

    `columns` maps each field of Line to its column; `moments` does so for each status of
    `lifecycle.LIFE` whose time is in the file (blank: did not happen). Times without a zone are in
    `zone` and read in the order of the rows (clock.py). `set_aside` returns a reason not to import
    a line, or an empty text.
    """

    header: tuple[str, ...]
    columns: Mapping[str, Column]
    moments: Mapping[str, Column] = field(default_factory=dict)
    zone: tzinfo = UTC
    set_aside: Callable[[Line], str] = lambda line: ""
    is_credit_note: Callable[[Line], bool] = lambda line: False

    def read(self, path: Path) -> Contents:
        """Raises BadFile if the file as a whole cannot be used."""
        contents = Contents(headers={path.name: self.header})
        gathered: Gathered[Line] = Gathered(contents)
        clocks = {name: LocalClock(self.zone) for name in ("at", *self.moments)}
        for row in read_rows(path, self.header):
            contents.rows += 1
            line = self._understood(row, clocks)
            if line is None:
                gathered.unreadable(row, self._number(row))
            elif reason := self.set_aside(line):
                contents.set_aside.append((row, reason))
            else:
                gathered.add(line.number, row, line)
        for number, rows in gathered.documents():
            by_kind: dict[Kind, list[Line]] = {}
            for _, line in rows:
                kind: Kind = "credit_note" if self.is_credit_note(line) else "order"
                by_kind.setdefault(kind, []).append(line)
            for kind, lines in by_kind.items():
                _take(contents, kind, number, lines)
        return contents

    def _number(self, source: SourceRow) -> str:
        """The document's number in a row that cannot be read; blank if there is none."""
        known = zip(self.header, map(str.strip, source.values), strict=False)
        try:
            return _text(self.columns["number"], dict.fromkeys(self.header, "") | dict(known))
        except (LookupError, ValueError):
            # The function of a profile need not handle an incomplete row.
            return ""

    def _understood(self, source: SourceRow, clocks: Mapping[str, LocalClock]) -> Line | None:
        if len(source.values) != len(self.header):
            return None
        row = dict(zip(self.header, map(str.strip, source.values), strict=True))
        texts = {name: _text(column, row) for name, column in self.columns.items()}
        moments = {name: _text(column, row) for name, column in self.moments.items()}
        try:
            times = {n: clocks[n].read(text) for n, text in moments.items() if text}
            at = clocks["at"].read(texts["at"])
            values: dict[str, Any] = {
                **texts,
                "at": at.at,
                "quantity": whole(texts["quantity"]),
                "unit_price": exact(texts["unit_price"]),
                "moments": {name: each.at for name, each in times.items()},
                "doubts": {name: each.doubts for name, each in {"at": at, **times}.items()},
            }
        except ValueError:
            return None
        return Line(source=source, **values)


def whole(text: str) -> int:
    """Raises ValueError."""
    if not text.removeprefix("-").isdecimal():
        raise ValueError(f"{text} is no whole number")
    return int(text)


def exact(text: str) -> Decimal:
    """Raises ValueError, also for an amount out of any reasonable range."""
    text = text.strip()
    if not is_readable(text) or decimal_problem(number := Decimal(text), _PAYABLE):
        raise ValueError(f"{text} is no amount")
    return number


def _text(column: Column, row: Mapping[str, str]) -> str:
    return row[column] if isinstance(column, str) else column(row)


def _take(contents: Contents, kind: Kind, number: str, lines: list[Line]) -> None:
    rows = tuple(line.source for line in lines)
    try:
        steps = (_credited if kind == "credit_note" else _lived)(lines)
    except Invalid:
        contents.set_aside += [(row, UNREADABLE) for row in rows]
    else:
        contents.documents.append(Document(kind, number, steps, rows))


def _lived(lines: list[Line]) -> tuple[Step, ...]:
    first = lines[0]
    placed = PlaceOrder(
        order_id=first.number,
        customer_id=first.customer_id,
        customer_name=first.customer_name,
        country=first.country,
        currency=first.currency,
        lines=tuple(
            OrderLine(
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in lines
        ),
    )
    steps = (Step(first.at, placed), *life_of(first.number, first.moments))
    return tuple(replace(step, doubts=first.doubts[step.name or "at"]) for step in steps)


def _credited(lines: list[Line]) -> tuple[Step, ...]:
    first = lines[0]
    recorded = RecordCreditNote(
        credit_note_id=first.number,
        customer_id=first.customer_id,
        country=first.country,
        currency=first.currency,
        reason="Credit note of the imported history",
        lines=tuple(
            CreditedLine(
                sku=line.sku,
                description=line.description,
                # Most shops' files have negative quantities in credit notes.
                quantity=abs(line.quantity),
                unit_price=line.unit_price,
            )
            for line in lines
        ),
    )
    return (Step(first.at, recorded, doubts=first.doubts["at"]),)
