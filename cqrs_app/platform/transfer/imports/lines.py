"""Reads files with one row per line of an order or credit note. A profile only names the
columns."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from cqrs_app.areas.orders.commands import PlaceOrder, RecordCreditNote
from cqrs_app.areas.orders.types import CreditedLine, OrderLine
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.platform.transfer.imports.clock import LocalClock, time_of
from cqrs_app.platform.transfer.imports.documents import (
    NAMESPACE,
    Contents,
    Document,
    Kind,
    SetAside,
    SourceFile,
    Step,
)
from cqrs_app.platform.transfer.imports.formats import (
    DETECTED,
    Dates,
    DecimalSign,
    Evidence,
    Format,
    date_votes,
    decimal_votes,
    exact,
    whole,
)
from cqrs_app.platform.transfer.imports.gathered import (
    Gathered,
    Unreadable,
    contradicting,
    parsed,
    refused,
)
from cqrs_app.platform.transfer.imports.lifecycle import life_of
from cqrs_app.platform.transfer.imports.source import BadFile, SourceRow
from cqrs_app.platform.transfer.imports.table import Table, open_table

SAMPLE = 20_000
"""Rows that are looked at to detect how numbers and times are written. More are only if those do
not show it."""

Column = str | Callable[[Mapping[str, str]], str]
"""The name of a column, or a function that makes a text from the row (column name -> text)."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The text of one column, changed by a function."""

    column: str
    change: Callable[[str], str]

    def __call__(self, row: Mapping[str, str]) -> str:
        return self.change(row[self.column])


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
    email: str = ""
    moments: Mapping[str, datetime] = field(default_factory=dict)
    doubts: Mapping[str, tuple[Refused, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFile:
    """How a file of lines is parsed.

    `columns` maps each field of Line to its column; `moments` does so for each status of
    `lifecycle.LIFE` whose time is in the file (blank: did not happen). Times without a zone are in
    `zone` and read in the order of the rows (clock.py). `set_aside` returns a reason not to import
    a line, or an empty text. A leading `#` of a number is dropped, and a customer who is identified
    by an e-mail address gets a number made from it.
    """

    header: tuple[str, ...]
    columns: Mapping[str, Column]
    moments: Mapping[str, Column] = field(default_factory=dict)
    zone: tzinfo = UTC
    set_aside: Callable[[Line], str] = lambda line: ""
    is_credit_note: Callable[[Line], bool] = lambda line: False

    def read(self, path: Path, given: Format = DETECTED) -> Contents:
        """Raises BadFile if the file as a whole cannot be used."""
        table = open_table(path, self.header, given=given)
        form = self._surveyed(table)
        contents = Contents()
        gathered: Gathered[Line] = Gathered(contents)
        clocks = {name: LocalClock(self.zone) for name in ("at", *self.moments)}
        for row in table.rows():
            contents.rows += 1
            try:
                line = self._understood(table, row, form, clocks)
            except Unreadable as fault:
                gathered.unreadable(row, self._number(table, row), fault)
                continue
            if reason := self.set_aside(line):
                contents.set_aside.append(SetAside(row, reason))
            else:
                gathered.add(line.number, row, line)
        used = replace(table.format, decimal=form.decimal, dates=form.dates)
        contents.files[path.name] = SourceFile(table.header, used, table.ignored)
        for number, rows in gathered.documents():
            by_kind: dict[Kind, list[Line]] = {}
            for _, line in rows:
                kind: Kind = "credit_note" if self.is_credit_note(line) else "order"
                by_kind.setdefault(kind, []).append(line)
            for kind, lines in by_kind.items():
                self._take(contents, kind, number, lines)
        return contents

    def _surveyed(self, table: Table) -> Format:
        """The format of numbers and times; None where no value shows it. Raises BadFile."""
        if table.format.decimal and table.format.dates:
            return table.format
        numbers, times = Evidence(decimal_votes), Evidence(date_votes)
        for count, row in enumerate(table.rows()):
            clear = [each.winner or not each.unclear for each in (numbers, times)]
            if count >= SAMPLE and all(clear):
                break
            for evidence, columns in (
                (numbers, [self.columns["unit_price"]]),
                (times, [self.columns["at"], *self.moments.values()]),
            ):
                for column in columns:
                    evidence.add(_text_or_none(column, table.texts(row)))
        decimal, dates = table.format.decimal, table.format.dates
        if decimal is None:
            choices = "`--decimal point` or `--decimal comma`"
            decimal = DecimalSign(_likely(numbers, table, "The amount", choices) or "point")
        if dates is None:
            choices = "`--dates day-first` or `--dates month-first`"
            dates = Dates(_likely(times, table, "The date", choices) or "iso")
        return replace(table.format, decimal=decimal, dates=dates)

    def _number(self, table: Table, row: SourceRow) -> str:
        """The document's number in a row that cannot be read; blank if there is none."""
        known = dict.fromkeys(self.header, "") | table.texts(row)
        return _plain_id(_text_or_none(self.columns["number"], known))

    def _understood(
        self, table: Table, source: SourceRow, form: Format, clocks: Mapping[str, LocalClock]
    ) -> Line:
        """Raises Unreadable."""
        if source.problem:
            raise Unreadable(source.problem)
        row = table.texts(source)
        texts = {name: _text(column, row) for name, column in self.columns.items()}
        moments = {name: _text(column, row) for name, column in self.moments.items()}
        dates, sign = form.dates or Dates.ISO, form.decimal or DecimalSign.POINT
        times = {
            name: parsed(text, partial(time_of, clocks[name], dates), self.column_of(name))
            for name, text in {"at": texts["at"], **moments}.items()
            if text or name == "at"
        }
        customer_id = texts.get("customer_id", "")
        values: dict[str, Any] = {
            **texts,
            "number": _plain_id(texts["number"]),
            "customer_id": _customer_number(customer_id),
            "email": texts.get("email") or (customer_id if "@" in customer_id else ""),
            "quantity": parsed(
                texts["quantity"], partial(whole, sign=sign), self.column_of("quantity")
            ),
            "unit_price": parsed(
                texts["unit_price"], partial(exact, sign=sign), self.column_of("unit_price")
            ),
            "at": times["at"].at,
            "moments": {name: each.at for name, each in times.items() if name != "at"},
            "doubts": {name: each.doubts for name, each in times.items()},
        }
        return Line(source=source, **values)

    def column_of(self, name: str) -> str:
        """The column that a field is read from; its own name if it is made from several."""
        column = self.columns.get(name) or self.moments.get(name)
        if isinstance(column, Changed):
            return column.column
        return column if isinstance(column, str) else name

    def _take(self, contents: Contents, kind: Kind, number: str, lines: list[Line]) -> None:
        rows = tuple(line.source for line in lines)
        if contradiction := self._contradiction(number, lines):
            contents.set_aside += [replace(contradiction, row=row) for row in rows]
            return
        try:
            steps = (_credited if kind == "credit_note" else _lived)(lines)
        except Invalid as invalid:
            columns = {name: self.column_of(name) for name in self.columns}
            columns |= {"order_id": self.column_of("number")}
            contents.set_aside += refused(rows, invalid, columns)
        else:
            contents.differing_times += len({line.at for line in lines}) > 1
            email = next((line.email for line in lines if line.email), "")
            contents.documents.append(Document(kind, number, steps, rows, email))

    def _contradiction(self, number: str, lines: list[Line]) -> SetAside | None:
        """What several rows of one document say differently of it."""
        for name in ("customer_id", "country", "currency"):
            found = [(line.source, str(getattr(line, name))) for line in lines]
            if contradiction := contradicting(number, self.column_of(name), found):
                return contradiction
        return None


def _likely(evidence: Evidence, table: Table, what: str, choices: str) -> str | None:
    """The way that the values speak for. Raises BadFile if they can be read in two ways."""
    if evidence.winner is None and evidence.unclear:
        raise BadFile(
            f"{what} {evidence.unclear} in {table.path.name} can be read in two ways, and no other "
            f"value of the file shows which. Choose {choices}. Nothing was imported."
        )
    return evidence.winner


def _plain_id(text: str) -> str:
    return text.removeprefix("#")


def _customer_number(text: str) -> str:
    """An address is personal, and a number is not: it is in addresses of pages and in the log."""
    return f"mail-{uuid.uuid5(NAMESPACE, text.casefold()).hex[:16]}" if "@" in text else text


def _text_or_none(column: Column, row: Mapping[str, str]) -> str:
    """The text of a row that may be incomplete, which the function of a profile need not handle."""
    try:
        return _text(column, row)
    except (LookupError, ValueError):
        return ""


def _text(column: Column, row: Mapping[str, str]) -> str:
    return row[column] if isinstance(column, str) else column(row)


def _first_of(lines: list[Line], name: str) -> str:
    """What the first row that says it says of the document."""
    return next((text for line in lines if (text := str(getattr(line, name)))), "")


def _lived(lines: list[Line]) -> tuple[Step, ...]:
    first = lines[0]
    placed = PlaceOrder(
        order_id=first.number,
        customer_id=_first_of(lines, "customer_id"),
        customer_name=_first_of(lines, "customer_name"),
        country=_first_of(lines, "country"),
        currency=_first_of(lines, "currency"),
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
        customer_id=_first_of(lines, "customer_id"),
        country=_first_of(lines, "country"),
        currency=_first_of(lines, "currency"),
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
