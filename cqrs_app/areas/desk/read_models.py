"""The tables written by the projections of orders and customers, and by nothing else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
)

from cqrs_app.areas.orders.words import AdjustmentKind
from cqrs_app.kernel import Amount, BigKey, UtcDateTime, read_tables

_ID = String(60)

orders = Table(
    "orders",
    read_tables,
    # The position of OrderPlaced: later orders have higher ones.
    Column("row_id", BigKey, primary_key=True, autoincrement=False),
    Column("order_id", _ID, nullable=False, unique=True),
    Column("status", String(20), nullable=False),
    # The last step of fulfilment, from which the stage follows: see stage.py.
    Column("step", String(20), nullable=False, server_default=""),
    Column("stage", String(20), nullable=False, server_default=""),
    Column("stage_since", UtcDateTime),
    # What somebody has to decide before the order continues, as a sentence.
    Column("decision", Text, nullable=False, server_default=""),
    Column("customer_id", _ID, nullable=False),
    Column("customer_name", String(200), nullable=False),
    Column("country", String(60), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total", Amount, nullable=False),
    # As ordered: cancelled items lower the total, not these.
    *(Column(str(kind), Amount, nullable=False, server_default="0") for kind in AdjustmentKind),
    Column("adjustments", Text, nullable=False, server_default="[]"),
    Column("tags", Text, nullable=False, server_default="[]"),
    # Removed lines are not counted; `last_line` is the highest number that a line has.
    Column("line_count", Integer, nullable=False),
    Column("last_line", Integer, nullable=False, server_default="0"),
    Column("units", BigInteger, nullable=False),
    Column("shipped_units", BigInteger, nullable=False),
    Column("returned_units", BigInteger, nullable=False, server_default="0"),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("placed_day", Date, nullable=False),
    # When the last change was recorded; imported history may have happened long before.
    Column("updated_at", UtcDateTime, nullable=False),
    # Who is responsible: an operator, or a team.
    Column("assignee", String(40), nullable=False, server_default=""),
    Column("team", String(40), nullable=False, server_default=""),
    Column("hold_reason", String(60), nullable=False),
    # The order whose returned items it replaces.
    Column("exchange_for", _ID, nullable=False, server_default=""),
    # How many events of imported history today's rules would have refused.
    Column("flags", Integer, nullable=False, server_default="0"),
    # Imported, and not changed here since: it waits for nobody.
    Column("imported", Boolean, nullable=False, server_default=false()),
    Column("carrier", String(60), nullable=False),
    Column("tracking", String(100), nullable=False),
    Column("ship_name", String(200), nullable=False),
    Column("ship_line1", String(200), nullable=False),
    Column("ship_line2", String(200), nullable=False),
    Column("ship_city", String(100), nullable=False),
    Column("ship_postal_code", String(30), nullable=False),
    Column("ship_country", String(60), nullable=False),
    Column("bill_name", String(200), nullable=False, server_default=""),
    Column("bill_line1", String(200), nullable=False, server_default=""),
    Column("bill_line2", String(200), nullable=False, server_default=""),
    Column("bill_city", String(100), nullable=False, server_default=""),
    Column("bill_postal_code", String(30), nullable=False, server_default=""),
    Column("bill_country", String(60), nullable=False, server_default=""),
    Column("applied_version", Integer, nullable=False),
    Column("applied_position", BigInteger, nullable=False),
    info={"key": ("order_id",)},
)
Index("ix_orders_placed_at", orders.c.placed_at, orders.c.order_id)
Index("ix_orders_status", orders.c.status, orders.c.placed_at, orders.c.order_id)
Index("ix_orders_stage", orders.c.stage, orders.c.placed_at, orders.c.order_id)
_waiting = orders.c.imported.is_(False)
Index(
    "ix_orders_waiting",
    orders.c.stage,
    orders.c.placed_at,
    orders.c.order_id,
    postgresql_where=_waiting,
    sqlite_where=_waiting,
)
Index("ix_orders_customer_id", orders.c.customer_id, orders.c.placed_at, orders.c.order_id)
Index("ix_orders_country", orders.c.country, orders.c.placed_at, orders.c.order_id)
Index("ix_orders_currency", orders.c.currency, orders.c.placed_at, orders.c.order_id)
Index("ix_orders_total", orders.c.total, orders.c.order_id)
Index("ix_orders_updated_at", orders.c.updated_at, orders.c.order_id)
Index("ix_orders_applied_position", orders.c.applied_position)
_flagged = orders.c.flags > 0
Index(
    "ix_orders_flagged",
    orders.c.placed_at,
    orders.c.order_id,
    postgresql_where=_flagged,
    sqlite_where=_flagged,
)

for _name in ("assignee", "team"):
    _given = orders.c[_name] != ""
    Index(
        f"ix_orders_{_name}",
        orders.c[_name],
        orders.c.placed_at,
        orders.c.order_id,
        postgresql_where=_given,
        sqlite_where=_given,
    )

_exchange = orders.c.exchange_for != ""
Index(
    "ix_orders_exchange_for",
    orders.c.exchange_for,
    orders.c.placed_at,
    orders.c.order_id,
    postgresql_where=_exchange,
    sqlite_where=_exchange,
)

# `present` is false of one that was removed.
order_tags = Table(
    "order_tags",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("tag", String(30), primary_key=True),
    Column("present", Boolean, nullable=False),
)
_present = order_tags.c.present.is_(True)
Index(
    "ix_order_tags_tag",
    order_tags.c.tag,
    order_tags.c.order_id,
    postgresql_where=_present,
    sqlite_where=_present,
)


def _merged(name: str) -> Table:
    """Numbers of customers who were merged into others. Later events may still name them."""
    return Table(
        name,
        read_tables,
        Column("customer_id", _ID, primary_key=True),
        Column("into", _ID, nullable=False),
    )


orders_of_merged = _merged("orders_of_merged")
accounts_of_merged = _merged("accounts_of_merged")
sales_of_merged = _merged("sales_of_merged")

order_flags = Table(
    "order_flags",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("task", String(100), nullable=False),
    Column("code", String(60), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# A table beside `orders`, so that a change of status neither reads nor writes a long text and its
# index: see search.py.
order_texts = Table(
    "order_texts",
    read_tables,
    Column("row_id", BigKey, primary_key=True, autoincrement=False),
    Column("order_id", _ID, nullable=False, unique=True),
    Column("search", Text, nullable=False),
    info={"key": ("order_id",)},
)

order_lines = Table(
    "order_lines",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("sku", String(60), nullable=False),
    Column("description", String(300), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", Amount, nullable=False),
    Column("discount", Amount, nullable=False, server_default="0"),
    Column("amount", Amount, nullable=False),
    Column("shipped_quantity", Integer, nullable=False),
    Column("cancelled_quantity", Integer, nullable=False, server_default="0"),
    Column("returned_quantity", Integer, nullable=False, server_default="0"),
)
Index("ix_order_lines_sku", order_lines.c.sku, order_lines.c.order_id)

# `amount` is what the units received cost.
order_returns = Table(
    "order_returns",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("return_id", String(7), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("note", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("amount", Amount, nullable=False),
)

order_return_lines = Table(
    "order_return_lines",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("return_id", String(7), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("restocked", Integer, nullable=False),
    Column("written_off", Integer, nullable=False),
)

# Orders by the day they were placed, their status and their stage; `imported` of them are from
# imports.
order_days = Table(
    "order_days",
    read_tables,
    Column("day", Date, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("status", String(20), primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("orders", BigInteger, nullable=False),
    Column("value", Amount, nullable=False),
    Column("imported", BigInteger, nullable=False, server_default="0"),
    Column("imported_value", Amount, nullable=False, server_default="0"),
)

# What was done on a day, whenever the order was placed.
order_activity = Table(
    "order_activity",
    read_tables,
    Column("day", Date, primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("value", Amount, nullable=False),
)

# What happened to an order, from the streams of several areas.
order_timeline = Table(
    "order_timeline",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("stream", String(200), primary_key=True),
    Column("version", Integer, primary_key=True),
    # None only while it is folded from events that have no position yet.
    Column("position", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("type", String(100), nullable=False),
    Column("label", String(60), nullable=False),
    Column("item", _ID, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    # As JSON: names and texts, those that are erased with `subject`, and former texts by name.
    Column("detail", Text, nullable=False),
    Column("personal", Text, nullable=False),
    Column("subject", String(200), nullable=False),
    Column("before", Text, nullable=False),
    # As JSON, of the order's own events: see entries/orders.py.
    Column("facts", Text, nullable=False),
    Column("command_id", String(64), nullable=False),
)
_PERSONAL = order_timeline.c.subject != ""
Index(
    "ix_order_timeline_subject",
    order_timeline.c.subject,
    postgresql_where=_PERSONAL,
    sqlite_where=_PERSONAL,
)

# A customer's account in one currency.
customer_accounts = Table(
    "customer_accounts",
    read_tables,
    Column("customer_id", _ID, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("search", Text, nullable=False),
    Column("country", String(60), nullable=False),
    Column("orders", BigInteger, nullable=False),
    Column("placed_value", Amount, nullable=False),
    Column("cancelled_value", Amount, nullable=False),
    Column("credit_notes", BigInteger, nullable=False),
    Column("credited", Amount, nullable=False),
    # The number whose account this one's orders and credit count in since.
    Column("merged_into", _ID, nullable=False, server_default=""),
    Column("first_order_at", UtcDateTime),
    Column("last_order_at", UtcDateTime),
    Column("applied_position", BigInteger, nullable=False),
)
_ACCOUNT = (customer_accounts.c.customer_id, customer_accounts.c.currency)
Index("ix_customer_accounts_name", customer_accounts.c.name, *_ACCOUNT)
Index("ix_customer_accounts_placed_value", customer_accounts.c.placed_value, *_ACCOUNT)
Index("ix_customer_accounts_orders", customer_accounts.c.orders, *_ACCOUNT)

credit_notes = Table(
    "credit_notes",
    read_tables,
    Column("credit_note_id", _ID, primary_key=True),
    Column("customer_id", _ID, nullable=False),
    Column("country", String(60), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", Amount, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("credited_at", UtcDateTime, nullable=False),
    Column("credited_day", Date),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("lines", Text, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_credit_notes_customer_id", credit_notes.c.customer_id, credit_notes.c.credited_at)
Index("ix_credit_notes_credited_at", credit_notes.c.credited_at, credit_notes.c.credit_note_id)

_PLACE = (
    ("day", Date),
    ("country", String(60)),
    ("currency", String(3)),
)


def _by_place(name: str, *rest: Column[Any]) -> Table:
    """A table of figures by the business day, the country and the currency."""
    place = (Column(each, kind, primary_key=True) for each, kind in _PLACE)
    return Table(name, read_tables, *place, *rest)


# `orders`, `revenue` and what was `refunded` of it without the orders cancelled or rejected since;
# these stand apart.
sales_days = _by_place(
    "sales_days",
    Column("orders", BigInteger, nullable=False),
    Column("revenue", Amount, nullable=False),
    Column("refunded", Amount, nullable=False, server_default="0"),
    Column("cancelled_orders", BigInteger, nullable=False),
    Column("cancelled_value", Amount, nullable=False),
    Column("credit_notes", BigInteger, nullable=False),
    Column("credited", Amount, nullable=False),
)
product_days = _by_place(
    "product_days",
    Column("sku", _ID, primary_key=True),
    Column("orders", BigInteger, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("revenue", Amount, nullable=False),
)
# Guests are nobody's customers and are not here.
customer_days = _by_place(
    "customer_days",
    Column("customer_id", _ID, primary_key=True),
    Column("orders", BigInteger, nullable=False),
    Column("revenue", Amount, nullable=False),
    Column("refunded", Amount, nullable=False, server_default="0"),
    Column("credited", Amount, nullable=False),
)

# `name` is the product's own; `description` that of its newest order, where it has no name.
sold_products = Table(
    "sold_products",
    read_tables,
    Column("sku", _ID, primary_key=True),
    Column("name", String(300), nullable=False),
    Column("description", String(300), nullable=False),
    Column("described_at", UtcDateTime),
)

# What an order counted in, so that it can be taken back. `products`: see projections/sales.py.
sales_orders = Table(
    "sales_orders",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("day", Date, nullable=False),
    Column("country", String(60), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("customer_id", _ID, nullable=False),
    Column("total", Amount, nullable=False),
    Column("refunded", Amount, nullable=False, server_default="0"),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
    Column("products", Text, nullable=False),
)
_refunded = text("refunded > 0")
Index(
    "ix_sales_orders_refunded",
    sales_orders.c.day,
    sales_orders.c.order_id,
    postgresql_where=_refunded,
    sqlite_where=_refunded,
)

# What was paid for an order and paid back, whether or not there is such an order.
sales_payments = Table(
    "sales_payments",
    read_tables,
    Column("order_id", _ID, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("captured", Amount, nullable=False),
    Column("refunded", Amount, nullable=False),
)
