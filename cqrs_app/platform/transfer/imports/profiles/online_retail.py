"""Profile `online-retail`: invoice lines of the UCI data set Online Retail.

Daqing Chen (2015), UCI Machine Learning Repository, doi:10.24432/C5BW33. One row per invoice line.
An invoice of six digits is an order; one that starts with C is a credit note that is linked to no
order. Times have no zone and are read as UTC; prices are pounds sterling.
"""

from __future__ import annotations

import re

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import PlaceOrder, RecordCreditNote
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.line import Line
from cqrs_app.platform.transfer.imports.lines import Changed, LineFile

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
_ORDER = re.compile(r"\d{6}")
_CHARGE = re.compile(
    r"POST|DOT|M|D|S|B|C2|BANK CHARGES|AMAZONFEE|CRUK|ADJUST\d*|gift_.*", re.IGNORECASE
)
"""Postage, carriage, fees, discounts, samples, vouchers and manual entries."""


def _is_credit_note(line: Line) -> bool:
    return line.number.startswith("C")


def _is_charge(sku: str) -> bool:
    return _CHARGE.fullmatch(sku) is not None


def _reason_to_set_aside(line: Line) -> str:
    if _is_credit_note(line):
        return "" if line.quantity < 0 and line.unit_price >= 0 else "adjustment"
    if not _ORDER.fullmatch(line.number):
        return "adjustment"
    if line.quantity <= 0:
        return "write_off"
    return "" if line.unit_price > 0 else "zero_price"


_FILE = LineFile(
    header=HEADER,
    columns={
        "number": "InvoiceNo",
        "at": "InvoiceDate",
        "customer_id": Changed("CustomerID", lambda text: text.removesuffix(".0")),
        "country": "Country",
        "currency": lambda row: "GBP",
        "sku": "StockCode",
        "description": "Description",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
    },
    set_aside=_reason_to_set_aside,
    about={"write_off": "quantity", "zero_price": "unit_price", "adjustment": "number"},
    is_credit_note=_is_credit_note,
)

PROFILE = Profile(
    name="online-retail",
    read=_FILE.read,
    commands=(RegisterCustomer, AddProduct, PlaceOrder, RecordCreditNote),
    reasons={
        "write_off": "The quantity is below zero and there is no price: stock was written off.",
        "zero_price": "The price is zero.",
        "adjustment": "This is an adjustment of the books, not an order or a credit note.",
    },
    is_charge=_is_charge,
)
