"""Profile `olist`: the marketplace orders of Olist, with their life cycles and original times.

Olist and Andre Sionek (2018), Brazilian E-Commerce Public Dataset, CC BY-NC-SA 4.0. Several files
in a folder or an archive. A row of order_items is one unit, so rows of one item at one price become
one line. Freight is a separate line, since customers pay it with the goods. Times have no zone and
are read as UTC; prices are reais. Customers and products that an imported order names are created
from their files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.transfer.imports.clock import LocalClock, time_of
from cqrs_app.platform.transfer.imports.documents import (
    Contents,
    Document,
    Profile,
    SourceFile,
    Step,
)
from cqrs_app.platform.transfer.imports.folder import files_in
from cqrs_app.platform.transfer.imports.formats import DETECTED, Dates, Format, exact
from cqrs_app.platform.transfer.imports.gathered import (
    Unreadable,
    documents_of,
    incomplete,
    parsed,
    parsed_rows,
    refused,
)
from cqrs_app.platform.transfer.imports.lifecycle import LIFE_COMMANDS, life_of
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import SourceRow
from cqrs_app.platform.transfer.imports.spooled import SpooledRows, SpooledTexts
from cqrs_app.platform.transfer.imports.table import open_table

Row = Mapping[str, str]
Item = tuple[SourceRow, Row]
"""A row of a file, and its texts by column."""
_COLUMNS = {
    "occurred_at": "order_purchase_timestamp",
    "customer_id": "customer_unique_id",
    "postal_code": "customer_zip_code_prefix",
    "city": "customer_city",
    "sku": "product_id",
    "unit_price": "price",
}
"""Field of a command -> the column that it is read from."""

FREIGHT = "FREIGHT"
NO_CUSTOMER = "No row of the customers' file has this customer."
NO_TIME = "The file says delivered without a time; the latest time it knows of the order is taken."

_HEADERS = {
    "orders": (
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ),
    "order_items": (
        "order_id",
        "order_item_id",
        "product_id",
        "seller_id",
        "shipping_limit_date",
        "price",
        "freight_value",
    ),
    "order_payments": (
        "order_id",
        "payment_sequential",
        "payment_type",
        "payment_installments",
        "payment_value",
    ),
    "customers": (
        "customer_id",
        "customer_unique_id",
        "customer_zip_code_prefix",
        "customer_city",
        "customer_state",
    ),
    "products": (
        "product_id",
        "product_category_name",
        "product_name_lenght",
        "product_description_lenght",
        "product_photos_qty",
        "product_weight_g",
        "product_length_cm",
        "product_height_cm",
        "product_width_cm",
    ),
}
_FILES = {name: (f"{name}.csv", f"olist_{name}_dataset.csv") for name in _HEADERS}
_MOMENTS = {
    "approved": "order_approved_at",
    "shipped": "order_delivered_carrier_date",
    "delivered": "order_delivered_customer_date",
}
_ENDINGS = {"canceled": "cancelled", "unavailable": "rejected", "delivered": "delivered"}
"""Final statuses -> how the order ended. The file has no time for the first two, and not always one
for the third."""


def read(path: Path, given: Format = DETECTED) -> Contents:
    """Raises BadFile if the files cannot be used."""
    with files_in(path, _FILES) as files:
        return _Reading(files, given).contents()


class _Reading:
    def __init__(self, files: Mapping[str, Path], given: Format) -> None:
        self._tables = {
            name: open_table(path, _HEADERS[name], given=given) for name, path in files.items()
        }
        self._customers = self._looked_up("customers")
        self._products = self._looked_up("products")
        self._contents = Contents(columns=_COLUMNS)

    def contents(self) -> Contents:
        rows = SpooledRows()
        for name in ("orders", "order_items"):
            for source, row in self._counted(name):
                rows.add(row.get("order_id", ""), source, name)
        for source, _ in self._counted("order_payments"):
            broken = Unreadable(source.problem).of(source) if source.problem else None
            self._contents.set_aside.append(broken or SetAside(source, "payment"))
        self._contents.count = len(rows)
        self._contents.documents = self._documents(rows)
        return self._contents

    def _documents(self, rows: SpooledRows) -> Iterator[Document]:
        def parse(source: SourceRow, name: str) -> tuple[str, Row]:
            if source.problem:
                raise Unreadable(source.problem)
            return name, self._tables[name].texts(source)

        for _, found in documents_of(rows, self._contents):
            known = parsed_rows(found, parse, self._contents)
            orders = [(source, row) for source, (name, row) in known if name == "orders"]
            items = [(source, row) for source, (name, row) in known if name == "order_items"]
            if orders:
                self._set_aside(orders[1:], "repeated_order")
                yield from self._taken(*orders[0], items)
            else:
                self._set_aside(items, "no_order")

    def _set_aside(self, rows: list[Item], reason: str) -> None:
        self._contents.set_aside.extend(
            SetAside(source, reason, column="order_id", value=row["order_id"])
            for source, row in rows
        )

    def _taken(self, source: SourceRow, row: Row, items: list[Item]) -> Iterator[Document]:
        """The document, unless it is set aside."""
        rows = (source, *(each for each, _ in items))
        set_aside = self._contents.set_aside
        try:
            steps = tuple(self._steps(row, items))
        except Invalid as invalid:
            # Items of one article become one line, so a line's number is that of no row.
            set_aside.extend(refused(rows[:1], invalid, self._contents))
            set_aside.extend(incomplete(rows[1:], source))
        except UnreadableItem as fault:
            set_aside.append(fault.of(fault.row))
            others = [each for each in rows if each is not fault.row]
            set_aside.extend(incomplete(others, fault.row))
        except Unreadable as fault:
            set_aside.append(fault.of(source))
            set_aside.extend(incomplete(rows[1:], source))
        else:
            yield Document("order", row["order_id"], steps, rows)

    def _steps(self, row: Row, items: list[Item]) -> Iterator[Step]:
        placed_at = _moment_of(row, "order_purchase_timestamp")
        yield Step(placed_at, self._placed(row, items))
        known = {what: _moment_of(row, name) for what, name in _MOMENTS.items() if row[name]}
        latest = max([placed_at, *known.values()])
        ending = _ENDINGS.get(row["order_status"])
        has_no_time = ending is not None and ending not in known
        yield from life_of(
            row["order_id"], known | ({ending: latest} if ending and has_no_time else {})
        )
        if has_no_time and ending == "delivered":
            note = AddOrderNote(order_id=row["order_id"], note=NO_TIME)
            yield Step(latest, note, "no-time")

    def _placed(self, row: Row, items: list[Item]) -> PlaceOrder:
        customer = _found(self._customers, row["customer_id"])
        if customer is None:
            raise Unreadable(NO_CUSTOMER, "customer_id", row["customer_id"])
        return PlaceOrder(
            order_id=row["order_id"],
            # The file's customer_id differs for each order. This one identifies the person.
            customer_id=customer["customer_unique_id"],
            country="Brazil",
            shipping_address=ShippingAddress(
                city=f"{customer['customer_city']}, {customer['customer_state']}",
                postal_code=customer["customer_zip_code_prefix"],
                country="Brazil",
            ),
            currency="BRL",
            lines=tuple(self._lines(items)),
        )

    def _lines(self, items: list[Item]) -> Iterator[OrderLine]:
        units = Counter(
            (item["product_id"], _amount(source, item, "price")) for source, item in items
        )
        for (product_id, price), quantity in units.items():
            product = _found(self._products, product_id) or {}
            yield OrderLine(
                sku=product_id,
                description=product.get("product_category_name", "").replace("_", " "),
                quantity=quantity,
                unit_price=price,
            )
        freight = sum((_amount(*each, "freight_value") for each in items), Decimal(0))
        if freight:
            yield OrderLine(sku=FREIGHT, description="Freight", quantity=1, unit_price=freight)

    def _counted(self, name: str) -> Iterator[Item]:
        """The rows of a file of which every row is imported or set aside."""
        table = self._tables[name]
        for source in table.rows():
            self._contents.rows += 1
            yield source, table.texts(source)
        file = SourceFile(table.header, table.format, table.ignored)
        self._contents.files[table.path.name] = file

    def _looked_up(self, name: str) -> SpooledTexts:
        """The rows of a file, as JSON, by the value of the first column."""
        table, found = self._tables[name], SpooledTexts()
        for source in table.rows():
            if not source.problem:
                row = table.texts(source)
                found.add(row[_HEADERS[name][0]], msgspec.json.encode(row).decode())
        return found


def _found(texts: SpooledTexts, key: str) -> Row | None:
    text = texts.get(key)
    return None if text is None else cast(Row, msgspec.json.decode(text))


class UnreadableItem(Unreadable):
    """A value of an order's item cannot be read."""

    def __init__(self, row: SourceRow, fault: Unreadable) -> None:
        super().__init__(fault.sentence, fault.column, fault.value)
        self.row = row


def _moment_of(row: Row, column: str) -> datetime:
    return parsed(row[column], partial(time_of, LocalClock(), Dates.ISO), column).at


def _amount(source: SourceRow, item: Row, column: str) -> Decimal:
    try:
        return parsed(item[column], exact, column)
    except Unreadable as fault:
        raise UnreadableItem(source, fault) from None


PROFILE = Profile(
    name="olist",
    read=read,
    commands=(RegisterCustomer, AddProduct, PlaceOrder, AddOrderNote, *LIFE_COMMANDS),
    reasons={
        "payment": "Payments are not imported.",
        "no_order": "No row of the orders' file has this order.",
        "repeated_order": "An earlier row of the file has the same order. That one is used.",
    },
    is_charge=lambda sku: sku == FREIGHT,
)
