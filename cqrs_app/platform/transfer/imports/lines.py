"""Reads files with one row per line of an order or credit note. A profile only names the
columns."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from decimal import ROUND_UP, Decimal
from functools import partial
from itertools import islice
from pathlib import Path

from cqrs_app.areas.orders.commands import RecordCreditNote
from cqrs_app.areas.orders.types import CreditedLine
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.patterns import INVISIBLE
from cqrs_app.platform.transfer.imports.clock import LocalClock, time_of
from cqrs_app.platform.transfer.imports.documents import (
    NAMESPACE,
    Contents,
    Document,
    Kind,
    SourceFile,
    Step,
)
from cqrs_app.platform.transfer.imports.fields import AMOUNTS, READ_FROM, STATUSES
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
    Unreadable,
    contradicting,
    documents_of,
    parsed,
    parsed_rows,
    refused,
)
from cqrs_app.platform.transfer.imports.line import Line
from cqrs_app.platform.transfer.imports.order_steps import first_of, sku_from, steps_of
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import BadFile, SourceRow
from cqrs_app.platform.transfer.imports.spooled import SpooledRows
from cqrs_app.platform.transfer.imports.table import Table, open_table

SAMPLE = 20_000
"""Rows that are looked at to detect how numbers and times are written. More are only if those do
not show it."""

LEFT_OUT = "left_out"
"""The meaning of a status with which orders are not imported, and the reason for it."""
_MARK = re.compile(r"^'(?=[0-9=+\-@])")
"""Spreadsheets' mark of a text that looks like a number or a formula."""
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_FINEST = Decimal("0.0001")
_COUNTRIES = ("country", "bill_country", "ship_country")
"""Fields that the country of an order is taken from."""
_READ_FROM: Mapping[str, str] = {
    **READ_FROM,
    "tag": "tags",
    "label": "shipping_method",
    "method": "payment_method",
    "reference": "payment_reference",
}
"""Fields of commands, and of values in them, that have another name here."""

Column = str | Callable[[Mapping[str, str]], str]
"""The name of a column, or a function that makes a text from the row (column name -> text)."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The text of one column, changed by a function."""

    column: str
    change: Callable[[str], str]

    def __call__(self, row: Mapping[str, str]) -> str:
        return self.change(row[self.column])


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text in every row."""

    text: str

    def __call__(self, row: Mapping[str, str]) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFile:
    """How a file of lines is parsed.

    A file has the columns of `header`, and may have those of `optional`. `columns` maps each field
    of `fields.FIELDS` to its column, `moments` those that are times (blank: did not happen);
    `meanings` says what a value of a status means, in small letters. Times without a zone are in
    `zone` and read in the order of the rows (clock.py). `set_aside` returns a reason not to import
    a line, or an empty text; `about` has the field of those reasons that are about one. A leading
    `#` of a number is dropped, and a customer who is identified by an e-mail address gets a number
    made from it. With `makes_skus` a line without a SKU gets one made from its description.
    """

    header: tuple[str, ...]
    columns: Mapping[str, Column]
    moments: Mapping[str, Column] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    makes_skus: bool = False
    set_aside: Callable[[Line], str] = lambda line: ""
    about: Mapping[str, str] = field(default_factory=dict)
    is_credit_note: Callable[[Line], bool] = lambda line: False

    def read(self, path: Path, given: Format = DETECTED, most: int | None = None) -> Contents:
        """The content of a file, or of its first rows: at least the first order, and no more
        rows of others than `most`. Raises BadFile if the file as a whole cannot be used."""
        table = open_table(path, self.header, self.optional, given)
        form = self._surveyed(table, most)
        contents, rows = Contents(columns=self._columns_of_commands), SpooledRows()
        clocks = {name: LocalClock(self.zone) for name in ("at", *self.moments)}
        for row in table.rows():
            number = self._number(table, row)
            if most is not None and contents.rows >= most:
                rows.cut(number)
                break
            contents.rows += 1
            rows.add(number, row, self._later_times(table, row, form, clocks))
        used = replace(table.format, decimal=form.decimal, dates=form.dates)
        contents.files[path.name] = SourceFile(table.header, used, table.ignored, table.missing)
        contents.count = len(rows)
        contents.documents = self._documents(contents, rows, table, form)
        return contents

    def _documents(
        self, contents: Contents, rows: SpooledRows, table: Table, form: Format
    ) -> Iterator[Document]:
        def parse(row: SourceRow, hint: str) -> Line | None:
            line = self._understood(table, row, form, hint.split(","))
            if reason := self.set_aside(line):
                column = self.column_of(self.about[reason]) if reason in self.about else ""
                value = contents.text_of(row, column)
                contents.set_aside.append(SetAside(row, reason, column=column, value=value))
                return None
            return line

        for number, found in documents_of(rows, contents):
            by_kind: dict[Kind, list[Line]] = {}
            for _, line in parsed_rows(found, parse, contents):
                kind: Kind = "credit_note" if self.is_credit_note(line) else "order"
                by_kind.setdefault(kind, []).append(line)
            for kind, lines in by_kind.items():
                if document := self._taken(contents, kind, number, lines):
                    yield document

    def _surveyed(self, table: Table, most: int | None) -> Format:
        """The format of numbers and times; None where no value shows it. Raises BadFile."""
        if table.format.decimal and table.format.dates:
            return table.format
        numbers, times = Evidence(decimal_votes), Evidence(date_votes)
        for count, row in enumerate(islice(table.rows(), most)):
            clear = [each.winner or not each.unclear for each in (numbers, times)]
            if count >= SAMPLE and all(clear):
                break
            for evidence, columns in (
                (numbers, [self.columns[name] for name in self._amounts]),
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

    @property
    def _amounts(self) -> list[str]:
        return [name for name in self.columns if name in AMOUNTS]

    def _number(self, table: Table, row: SourceRow) -> str:
        """The number of the row's document; blank if it has none."""
        column = self.columns["number"]
        if isinstance(column, str):
            index = table.columns.get(column, len(row.values))
            text = row.values[index] if index < len(row.values) else ""
        else:
            known = dict.fromkeys((*self.header, *self.optional), "") | table.texts(row)
            text = _text_or_none(column, known)
        return _plain_id(_cleaned(text.strip()))

    def _later_times(
        self, table: Table, row: SourceRow, form: Format, clocks: Mapping[str, LocalClock]
    ) -> str:
        """Which of the row's times are the second of two with the same local time. That depends on
        the rows before it."""
        if self.zone is UTC or row.problem:
            return ""
        texts, later = table.texts(row), []
        for name, clock in clocks.items():
            column = self.moments.get(name) or self.columns[name]
            with suppress(ValueError):
                if time_of(clock, form.dates or Dates.ISO, _text_or_none(column, texts)).later:
                    later.append(name)
        return ",".join(later)

    def _understood(
        self, table: Table, source: SourceRow, form: Format, later: Sequence[str]
    ) -> Line:
        """Raises Unreadable."""
        if source.problem:
            raise Unreadable(source.problem)
        row = {name: _cleaned(text) for name, text in table.texts(source).items()}
        texts = {name: _text(column, row) for name, column in self.columns.items()}
        moments = {name: _text(column, row) for name, column in self.moments.items()}
        dates, sign = form.dates or Dates.ISO, form.decimal or DecimalSign.POINT
        times = {
            name: parsed(
                text, partial(time_of, self._clock(name in later), dates), self.column_of(name)
            )
            for name, text in {"at": texts.pop("at"), **moments}.items()
            if text or name == "at"
        }
        quantity = texts.pop("quantity")
        amounts = {
            name: parsed(text, partial(_amount, sign=sign), self.column_of(name))
            for name in self._amounts
            if (text := texts.pop(name)) or name == "unit_price"
        }
        count = parsed(quantity, partial(whole, sign=sign), self.column_of("quantity"))
        customer_id = texts.pop("customer_id", "")
        names = (texts.pop("customer_name", ""), texts.pop("customer_last_name", ""))
        own = {name: texts.pop(name, "") for name in ("country", "currency", "sku", "description")}
        if self.makes_skus and not own["sku"]:
            own["sku"] = sku_from(own["description"])
        return Line(
            source=source,
            number=_plain_id(texts.pop("number")),
            customer_id=_customer_number(customer_id),
            customer_name=" ".join(filter(None, names)),
            email=texts.pop("email", "") or (customer_id if "@" in customer_id else ""),
            quantity=count,
            unit_price=_unit_price(amounts, count),
            at=times["at"].at,
            moments={name: each.at for name, each in times.items() if name != "at"},
            doubts={name: each.doubts for name, each in times.items()},
            amounts=amounts,
            texts=texts,
            meanings={
                name: self.meanings.get(texts[name].casefold(), "")
                for name in STATUSES
                if name in texts
            },
            **own,
        )

    def _clock(self, later: bool) -> LocalClock:
        return LocalClock(self.zone, later=later)

    def column_of(self, name: str) -> str:
        """The column that a field is read from; its own name if it is made from several."""
        column = self.columns.get(name) or self.moments.get(name)
        if isinstance(column, Changed):
            return column.column
        return column if isinstance(column, str) else name

    @property
    def _columns_of_commands(self) -> dict[str, str]:
        """Fields of commands, and of values in them -> the columns that they are read from."""
        fields = {path: name for path, name in _READ_FROM.items() if name in self.columns}
        fields |= {name: name for name in self.columns}
        read = {name for name, each in self.columns.items() if isinstance(each, str | Changed)}
        fields["country"] = next((each for each in _COUNTRIES if each in read), "country")
        return {path: self.column_of(name) for path, name in fields.items()}

    def _taken(
        self, contents: Contents, kind: Kind, number: str, lines: list[Line]
    ) -> Document | None:
        """None if it is set aside."""
        rows = tuple(line.source for line in lines)
        for line in lines:
            for name, meaning in line.meanings.items():
                if meaning == LEFT_OUT:
                    about = (self.column_of(name), line.texts[name])
                    contents.set_aside.extend(SetAside(row, LEFT_OUT, "", *about) for row in rows)
                    return None
        if contradiction := self._contradiction(number, lines):
            contents.set_aside.extend(replace(contradiction, row=row) for row in rows)
            return None
        try:
            steps = _credited(lines) if kind == "credit_note" else steps_of(lines, self._recorded)
        except Invalid as invalid:
            contents.set_aside.extend(refused(rows, invalid, contents))
            return None
        contents.differing_times += len({line.at for line in lines}) > 1
        email = next((line.email for line in lines if line.email), "")
        return Document(kind, number, steps, rows, email)

    @property
    def _recorded(self) -> frozenset[str]:
        """The statuses that files of this kind have."""
        meant = self.meanings.values() if "status" in self.columns else ()
        return frozenset((*self.moments, *meant))

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


def _cleaned(text: str) -> str:
    """The text without a spreadsheet's mark and without characters that show nothing."""
    if text[:1] == "'":
        text = _MARK.sub("", text)
    return text if text.isascii() else _INVISIBLE.sub("", text)


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
    # A column that may be missing is as good as an empty one.
    return row.get(column, "") if isinstance(column, str) else column(row)


def _unit_price(amounts: dict[str, Decimal], count: int) -> Decimal:
    """The unit price. A price of all units that cannot be divided is rounded up, and the difference
    becomes a discount."""
    gross = amounts.pop("line_price", Decimal(0))
    if "unit_price" in amounts or not count:
        return amounts.pop("unit_price", gross)
    price = (gross / count).quantize(_FINEST, ROUND_UP)
    if off := price * count - gross:
        amounts["discount"] = abs(amounts.get("discount", Decimal(0))) + off
    return price


def _amount(text: str, sign: DecimalSign) -> Decimal:
    """An amount; of a share such as 15%, the fraction. Raises ValueError."""
    if text.endswith("%"):
        return exact(text.removesuffix("%"), sign) / 100
    return exact(text, sign)


def _credited(lines: list[Line]) -> tuple[Step, ...]:
    first = lines[0]
    recorded = RecordCreditNote(
        credit_note_id=first.number,
        customer_id=first_of(lines, "customer_id"),
        country=first_of(lines, "country"),
        currency=first_of(lines, "currency"),
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
