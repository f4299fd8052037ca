"""Profile `online-retail`: invoice lines as in the UCI data set Online Retail.

Daqing Chen (2015), UCI Machine Learning Repository, doi:10.24432/C5BW33. One row per invoice
line; an invoice of six digits is an order, one that starts with C a credit note without a link to
any order. Times have no zone and are taken as UTC; prices are pounds sterling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cqrs_app.imports.documents import Contents, Document, Profile
from cqrs_app.imports.source import SourceRow, read_rows
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages import Command
from cqrs_app.orders.commands import PlaceOrder, RecordCreditNote
from cqrs_app.orders.types import CreditedLine, OrderLine

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
CURRENCY = "GBP"
_ORDER = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class Line:
    """A row understood."""

    source: SourceRow
    invoice: str
    sku: str
    description: str
    quantity: int
    at: datetime
    price: Decimal
    customer_id: str
    country: str


def read(path: Path) -> Contents:
    """Raises BadFile when the file as a whole cannot be used."""
    contents = Contents()
    invoices: dict[str, list[Line]] = {}
    for row in read_rows(path, HEADER):
        contents.rows += 1
        line = _understood(row)
        reason = "unreadable" if line is None else _reason_to_set_aside(line)
        if line is None or reason:
            contents.set_aside.append((row, reason))
        else:
            # Rows of one invoice need not stand together; within it the file's order is kept.
            invoices.setdefault(line.invoice, []).append(line)
    for lines in invoices.values():
        try:
            contents.documents.append(_document(lines))
        except Invalid:
            contents.set_aside += [(line.source, "unreadable") for line in lines]
    return contents


def _understood(row: SourceRow) -> Line | None:
    if len(row.values) != len(HEADER):
        return None
    invoice, sku, description, quantity, at, price, customer, country = map(str.strip, row.values)
    try:
        return Line(
            source=row,
            invoice=invoice,
            sku=sku,
            description=description,
            quantity=int(quantity),
            at=datetime.fromisoformat(at).replace(tzinfo=UTC),
            price=Decimal(price),
            customer_id=customer.removesuffix(".0"),
            country=country,
        )
    except (ValueError, InvalidOperation):
        return None


def _reason_to_set_aside(line: Line) -> str:
    if line.invoice.startswith("C"):
        return "" if line.quantity < 0 and line.price >= 0 else "adjustment"
    if not _ORDER.fullmatch(line.invoice):
        return "adjustment"
    if line.quantity <= 0:
        return "write_off"
    return "" if line.price > 0 else "zero_price"


def _document(lines: list[Line]) -> Document:
    first = lines[0]
    is_credit = first.invoice.startswith("C")
    make: Callable[[list[Line]], Command] = _credit_note if is_credit else _order
    kind = "credit_note" if is_credit else "order"
    rows = tuple(line.source for line in lines)
    return Document(kind, first.invoice, first.at, make(lines), rows)


def _order(lines: list[Line]) -> PlaceOrder:
    first = lines[0]
    return PlaceOrder(
        order_id=first.invoice,
        customer_id=first.customer_id,
        country=first.country,
        currency=CURRENCY,
        lines=tuple(
            OrderLine(
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.price,
            )
            for line in lines
        ),
    )


def _credit_note(lines: list[Line]) -> RecordCreditNote:
    first = lines[0]
    return RecordCreditNote(
        credit_note_id=first.invoice,
        customer_id=first.customer_id,
        country=first.country,
        currency=CURRENCY,
        reason="Credit note of the imported history",
        lines=tuple(_credit_lines(lines)),
    )


def _credit_lines(lines: list[Line]) -> Iterator[CreditedLine]:
    for line in lines:
        yield CreditedLine(
            sku=line.sku,
            description=line.description,
            quantity=-line.quantity,
            unit_price=line.price,
        )


ONLINE_RETAIL = Profile(
    name="online-retail",
    header=HEADER,
    reasons=("write_off", "zero_price", "adjustment"),
    read=read,
)
