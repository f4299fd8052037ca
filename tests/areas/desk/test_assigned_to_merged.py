"""An order that was assigned to a number while that was merged into another one."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.customers.events import CustomerMerged
from cqrs_app.areas.desk.read_models import customer_accounts, customer_days, orders, sales_orders
from cqrs_app.areas.orders.events import Address, OrderAssigned
from cqrs_app.kernel import testing
from cqrs_app.kernel.registry import Registry
from tests.areas.desk.history import AREAS, START, fold
from tests.areas.orders.given import PLACED


def test_it_counts_for_the_number_that_is_kept() -> None:
    history = testing.History(Registry([*AREAS, CUSTOMERS]), START)
    history.record("order-536365", [PLACED])
    history.record("customer-B", [CustomerMerged(customer_id="B", into="C")])
    assigned = OrderAssigned(
        order_id="536365",
        customer_id="B",
        former_customer_id="17850",
        customer_name="Ana",
        shipping_address=Address(),
        billing_address=Address(),
        country="Peru",
        currency="GBP",
        total=PLACED.total,
        cancelled=Decimal(0),
        placed_at=START,
    )
    history.record("order-536365", [assigned])
    rows = fold(history.recorded)
    assert [row["customer_id"] for row in rows.all(orders)] == ["C"]
    assert [row["customer_id"] for row in rows.all(sales_orders)] == ["C"]
    for table in (customer_days, customer_accounts):
        counted = {row["customer_id"]: row["orders"] for row in rows.all(table)}
        assert counted == {"17850": 0, "C": 1}, table.name
