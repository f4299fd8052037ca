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
from decimal import Decimal
from pathlib import Path

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.transfer.imports.clock import moment
from cqrs_app.platform.transfer.imports.documents import Contents, Document, Profile, Step
from cqrs_app.platform.transfer.imports.folder import files_in
from cqrs_app.platform.transfer.imports.gathered import UNREADABLE, Gathered
from cqrs_app.platform.transfer.imports.lifecycle import LIFE_COMMANDS, life_of
from cqrs_app.platform.transfer.imports.lines import exact
from cqrs_app.platform.transfer.imports.source import SourceRow, read_rows

Row = Mapping[str, str]

FREIGHT = "FREIGHT"
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


def read(path: Path) -> Contents:
    """Raises BadFile if the files cannot be used."""
    with files_in(path, _FILES) as files:
        return _Reading(files).contents()


class _Reading:
    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._customers = self._looked_up("customers")
        self._products = self._looked_up("products")
        self._contents = Contents()
        self._gathered: Gathered[tuple[str, Row]] = Gathered(self._contents)

    def contents(self) -> Contents:
        for name in ("orders", "order_items"):
            for source, row in self._counted(name):
                if row is None:
                    self._gathered.unreadable(source, _number(source))
                else:
                    self._gathered.add(row["order_id"], source, (name, row))
        for _, rows in self._gathered.documents():
            orders = [(source, row) for source, (name, row) in rows if name == "orders"]
            items = [(source, row) for source, (name, row) in rows if name == "order_items"]
            if orders:
                self._take(*orders[0], items)
                self._set_aside(orders[1:], "repeated_order")
            else:
                self._set_aside(items, "no_order")
        for source, row in self._counted("order_payments"):
            self._contents.set_aside.append((source, UNREADABLE if row is None else "payment"))
        return self._contents

    def _set_aside(self, rows: list[tuple[SourceRow, Row]], reason: str) -> None:
        self._contents.set_aside += [(source, reason) for source, _ in rows]

    def _take(self, source: SourceRow, row: Row, items: list[tuple[SourceRow, Row]]) -> None:
        rows = (source, *(each for each, _ in items))
        try:
            steps = tuple(self._steps(row, [item for _, item in items]))
        except (Invalid, ValueError, KeyError):
            self._contents.set_aside += [(each, UNREADABLE) for each in rows]
        else:
            self._contents.documents.append(Document("order", row["order_id"], steps, rows))

    def _steps(self, row: Row, items: list[Row]) -> Iterator[Step]:
        placed_at = moment(row["order_purchase_timestamp"])
        yield Step(placed_at, self._placed(row, items))
        known = {what: moment(row[name]) for what, name in _MOMENTS.items() if row[name]}
        latest = max([placed_at, *known.values()])
        ending = _ENDINGS.get(row["order_status"])
        has_no_time = ending is not None and ending not in known
        yield from life_of(
            row["order_id"], known | ({ending: latest} if ending and has_no_time else {})
        )
        if has_no_time and ending == "delivered":
            note = AddOrderNote(order_id=row["order_id"], note=NO_TIME)
            yield Step(latest, note, "no-time")

    def _placed(self, row: Row, items: list[Row]) -> PlaceOrder:
        customer = self._customers[row["customer_id"]]
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

    def _lines(self, items: list[Row]) -> Iterator[OrderLine]:
        units = Counter((item["product_id"], exact(item["price"])) for item in items)
        for (product_id, price), quantity in units.items():
            product = self._products.get(product_id, {})
            yield OrderLine(
                sku=product_id,
                description=product.get("product_category_name", "").replace("_", " "),
                quantity=quantity,
                unit_price=price,
            )
        freight = sum((exact(item["freight_value"]) for item in items), Decimal(0))
        if freight:
            yield OrderLine(sku=FREIGHT, description="Freight", quantity=1, unit_price=freight)

    def _counted(self, name: str) -> Iterator[tuple[SourceRow, Row | None]]:
        """The rows of a file of which every row is imported or set aside; None for one that cannot
        be read."""
        self._contents.headers[self._files[name].name] = _HEADERS[name]
        for source in read_rows(self._files[name], _HEADERS[name]):
            self._contents.rows += 1
            yield source, _row(name, source)

    def _looked_up(self, name: str) -> dict[str, Row]:
        """The rows of a file by the value of the first column."""
        rows = (_row(name, source) for source in read_rows(self._files[name], _HEADERS[name]))
        return {row[_HEADERS[name][0]]: row for row in rows if row is not None}


def _row(name: str, source: SourceRow) -> Row | None:
    if len(source.values) != len(_HEADERS[name]):
        return None
    return dict(zip(_HEADERS[name], map(str.strip, source.values), strict=True))


def _number(source: SourceRow) -> str:
    """The order's number in a row that cannot be read; blank if there is none."""
    return source.values[0].strip() if source.values else ""


PROFILE = Profile(
    name="olist",
    read=read,
    commands=(RegisterCustomer, AddProduct, PlaceOrder, AddOrderNote, *LIFE_COMMANDS),
    reasons=("payment", "no_order", "repeated_order"),
    is_charge=lambda sku: sku == FREIGHT,
)
