"""What was sold, refunded and credited, by day, country and currency: the figures of the reports.

An order counts on the day it was placed until it is cancelled or rejected, and from then on as
cancelled on that same day; so do remaining items that were cancelled, lines that were changed, and
what was refunded of it. A credit note counts on the day of the credit. So every figure is a sum
over orders or notes that a list can show. Days are business days.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.customers.events import CustomerMerged
from cqrs_app.areas.desk.projections.product_names import describe_products, name_product
from cqrs_app.areas.desk.projections.sales_figures import (
    Place,
    assign,
    count_changed_lines,
    count_credit,
    count_order,
    count_payment,
    merge_customer,
    take_back,
    take_part_back,
)
from cqrs_app.areas.desk.read_models import (
    customer_days,
    product_days,
    sales_days,
    sales_of_merged,
    sales_orders,
    sales_payments,
    sold_products,
)
from cqrs_app.areas.inventory.events import ProductAdded, ProductRenamed
from cqrs_app.areas.orders.events import (
    CreditNoteRecorded,
    OrderAssigned,
    OrderCancelled,
    OrderLinesChanged,
    OrderPlaced,
    OrderRejected,
    RemainingItemsCancelled,
)
from cqrs_app.areas.payments.events import (
    PaymentCaptured,
    PaymentMoved,
    PaymentRecorded,
    PaymentRefunded,
)
from cqrs_app.kernel import Key, Projection, Recorded, Rows
from cqrs_app.standards.countries import country_name


class SalesProjection(Projection):
    name: ClassVar[str] = "sales"
    by_day: ClassVar[bool] = True
    version: ClassVar[int] = 5
    tables: ClassVar[tuple[Table, ...]] = (
        sales_days,
        product_days,
        customer_days,
        sold_products,
        sales_orders,
        sales_payments,
        sales_of_merged,
    )

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        if isinstance(event, CustomerMerged):
            return
        if isinstance(event, ProductAdded | ProductRenamed):
            yield sold_products, (event.sku,)
            return
        if not isinstance(event, CreditNoteRecorded):
            yield sales_orders, (event.order_id,)
            yield sales_payments, (event.order_id, event.currency)
        if isinstance(event, PaymentMoved):
            yield sales_orders, (event.from_order_id,)
            yield sales_payments, (event.from_order_id, event.currency)
        if not isinstance(event, OrderPlaced | CreditNoteRecorded):
            return
        place = _place(event, recorded)
        yield sales_days, place
        if event.customer_id:
            yield customer_days, (*place, event.customer_id)
        if isinstance(event, OrderPlaced):
            for sku in {line.sku for line in event.lines}:
                yield product_days, (*place, sku)
                yield sold_products, (sku,)

    def order_placed(self, event: OrderPlaced, recorded: Recorded, rows: Rows) -> None:
        count_order(event, _place(event, recorded), rows)
        describe_products(event.lines, recorded.occurred_at, rows)

    def order_assigned(self, event: OrderAssigned, recorded: Recorded, rows: Rows) -> None:
        assign(event, rows)

    def customer_merged(self, event: CustomerMerged, recorded: Recorded, rows: Rows) -> None:
        merge_customer(event, rows)

    def order_rejected(self, event: OrderRejected, recorded: Recorded, rows: Rows) -> None:
        take_back(event.order_id, rows)

    def order_cancelled(self, event: OrderCancelled, recorded: Recorded, rows: Rows) -> None:
        take_back(event.order_id, rows)

    def remaining_items_cancelled(
        self, event: RemainingItemsCancelled, recorded: Recorded, rows: Rows
    ) -> None:
        take_part_back(event, rows)

    def order_lines_changed(self, event: OrderLinesChanged, recorded: Recorded, rows: Rows) -> None:
        count_changed_lines(event, rows)
        describe_products(event.added, recorded.occurred_at, rows)

    def credit_note_recorded(
        self, event: CreditNoteRecorded, recorded: Recorded, rows: Rows
    ) -> None:
        count_credit(event, _place(event, recorded), rows)

    def payment_captured(self, event: PaymentCaptured, recorded: Recorded, rows: Rows) -> None:
        count_payment(event.order_id, event.currency, rows, captured=event.amount)

    def payment_recorded(self, event: PaymentRecorded, recorded: Recorded, rows: Rows) -> None:
        count_payment(event.order_id, event.currency, rows, captured=event.amount)

    def payment_refunded(self, event: PaymentRefunded, recorded: Recorded, rows: Rows) -> None:
        count_payment(event.order_id, event.currency, rows, refunded=event.amount)

    def payment_moved(self, event: PaymentMoved, recorded: Recorded, rows: Rows) -> None:
        count_payment(event.from_order_id, event.currency, rows, captured=-event.amount)
        count_payment(event.order_id, event.currency, rows, captured=event.amount)

    def product_added(self, event: ProductAdded, recorded: Recorded, rows: Rows) -> None:
        name_product(event.sku, event.description, rows)

    def product_renamed(self, event: ProductRenamed, recorded: Recorded, rows: Rows) -> None:
        name_product(event.sku, event.description, rows)


def _place(event: OrderPlaced | CreditNoteRecorded, recorded: Recorded) -> Place:
    return recorded.day, country_name(event.country), event.currency
