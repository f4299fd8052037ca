"""SQL views of the read models for analysts.

A view has amounts as decimals, where its table counts ten-thousandths. It leaves out what is of no
use outside: search texts, positions, and personal data, which its ids refer to. Migrations of the
read store drop the views and create them again (migrations/env.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from cqrs_app.areas.customers import read_models as customers
from cqrs_app.areas.desk import read_models as desk
from cqrs_app.areas.expenses import read_models as expenses
from cqrs_app.areas.fulfilment import tables as fulfilment
from cqrs_app.areas.inventory import read_models as inventory
from cqrs_app.areas.payments import read_models as payments
from cqrs_app.kernel import Amount

AMOUNT = "In the row's currency."
DEPENDENT_OBJECTS_STILL_EXIST = "2BP01"


@dataclass(frozen=True, slots=True)
class View:
    """One view of one table. `columns` are its columns, separated by spaces. `notes` explain what
    the name of a column does not."""

    name: str
    table: Table
    about: str
    columns: str
    notes: Mapping[str, str] = field(default_factory=dict)

    def comments(self) -> dict[str, str]:
        """Column -> comment, for columns that need one."""
        amounts = {each.name: AMOUNT for each in self._columns() if isinstance(each.type, Amount)}
        return amounts | dict(self.notes)

    def statements(self, dialect: str) -> Iterator[str]:
        """The SQL that creates it."""
        shown = [self._shown(each, dialect) for each in self._columns()]
        if dialect == "postgresql":
            yield f"CREATE VIEW {self.name} AS SELECT {', '.join(shown)} FROM {self.table.name}"  # noqa: S608 - names of ours
            yield f"COMMENT ON VIEW {self.name} IS {_quoted(self.about)}"
            for column, comment in self.comments().items():
                yield f"COMMENT ON COLUMN {self.name}.{column} IS {_quoted(comment)}"
        else:
            # SQLite stores the statement as written, including comments.
            notes = self.comments()
            lines = ",\n".join(
                f"  {sql} /* {notes[each.name]} */" if each.name in notes else f"  {sql}"
                for each, sql in zip(self._columns(), shown, strict=True)
            )
            yield (
                f"CREATE VIEW {self.name} AS /* {self.about} */ SELECT\n{lines}\n"
                f"FROM {self.table.name}"
            )

    def _columns(self) -> list[Column[object]]:
        return [self.table.c[name] for name in self.columns.split()]

    @staticmethod
    def _shown(column: Column[object], dialect: str) -> str:
        if not isinstance(column.type, Amount):
            return column.name
        decimal = (
            "CAST({0} * 0.0001 AS numeric(19, 4))" if dialect == "postgresql" else ("{0} / 10000.0")
        )
        return f"{decimal.format(column.name)} AS {column.name}"


def _quoted(literal: str) -> str:
    escaped = literal.replace("'", "''").replace(":", r"\:")
    return f"'{escaped}'"


_BY_DAY = {"day": "The day on which the orders were placed, in the time zone of the shop."}
_AT = {"recorded_at": "When the console learned of it; history may have happened long before."}

VIEWS: Sequence[View] = (
    View(
        "v_orders",
        desk.orders,
        "Orders as they are now, one row each.",
        "order_id stage stage_since decision status customer_id country currency total discount "
        "shipping tax fee line_count "
        "units shipped_units returned_units placed_at placed_day updated_at hold_reason "
        "exchange_for flags imported carrier tracking",
        {
            "stage": "From its status and its fulfilment, as the pages show it.",
            "decision": "What somebody has to decide before it goes on.",
            "customer_id": "Empty for a guest.",
            "discount": "As ordered, with those of lines; shipping, tax and fee also as ordered.",
            "placed_day": "The day on which it was placed, in the time zone of the shop.",
            "updated_at": "When the console learned of the last change.",
            "exchange_for": "The order whose returned items it replaces.",
            "flags": "How often history was let in that today's rules would have refused.",
            "imported": "From an import, and nothing was done with it here since.",
        },
    ),
    View(
        "v_order_lines",
        desk.order_lines,
        "The lines of orders.",
        "order_id line_no sku description quantity unit_price discount amount shipped_quantity "
        "cancelled_quantity returned_quantity",
        dict.fromkeys(("unit_price", "discount", "amount"), "In the order's currency (v_orders)."),
    ),
    View(
        "v_order_returns",
        desk.order_returns,
        "Returns of orders as they are now, one row each.",
        "order_id return_id status reason requested_at closed_at amount",
        {
            "amount": "Of what came back, in the order's currency (v_orders).",
            "closed_at": "When it was received or cancelled.",
        },
    ),
    View(
        "v_order_return_lines",
        desk.order_return_lines,
        "The lines of returns.",
        "order_id return_id line_no quantity restocked written_off",
        {
            "line_no": "Of the order's line (v_order_lines).",
            "restocked": "Put back into stock.",
        },
    ),
    View(
        "v_order_tags",
        desk.order_tags,
        "Tags of orders.",
        "order_id tag present",
        {"present": "False of a tag that was removed."},
    ),
    View(
        "v_order_flags",
        desk.order_flags,
        "What today's rules would have refused of an order's history.",
        "order_id version task code sentence at",
    ),
    View(
        "v_credit_notes",
        desk.credit_notes,
        "Credit notes.",
        "credit_note_id customer_id country currency amount line_count reason credited_at "
        "recorded_at",
        _AT,
    ),
    View(
        "v_sales_days",
        desk.sales_days,
        "Sales by day, country and currency, without orders cancelled or rejected since.",
        "day country currency orders revenue refunded cancelled_orders cancelled_value "
        "credit_notes credited",
        _BY_DAY
        | {
            "refunded": "Of the revenue; net revenue is revenue less refunded and credited.",
            "cancelled_value": "Of orders placed on the day and cancelled or rejected.",
        },
    ),
    View(
        "v_product_days",
        desk.product_days,
        "Sales of a product by day, country and currency, without orders cancelled or rejected "
        "since.",
        "day country currency sku orders units revenue",
        _BY_DAY,
    ),
    View(
        "v_customers",
        customers.customer_profiles,
        "Registered customers, without names and addresses.",
        "customer_id status country registered_at",
    ),
    View(
        "v_customer_accounts",
        desk.customer_accounts,
        "What each customer ordered and was credited, one row per currency.",
        "customer_id currency country orders placed_value cancelled_value credit_notes credited "
        "first_order_at last_order_at",
    ),
    View(
        "v_products",
        inventory.products,
        "Products and their stock now.",
        "sku description tracked retired prices low_below on_hand reserved available incoming "
        "short added_at updated_at",
        {
            "tracked": "Whether stock is kept of it.",
            "prices": "Of one unit, by currency: EUR 64.00, GBP 55.00.",
            "available": "On hand and not reserved.",
            "incoming": "Expected in deliveries.",
            "short": "How many are missing to the low-stock level.",
        },
    ),
    View(
        "v_stock_movements",
        inventory.stock_movements,
        "Every change of stock; the quantities of a product come to what it has on hand.",
        "sku version kind quantity on_hand reference at recorded_at operator",
        {"on_hand": "After the movement."} | _AT,
    ),
    View(
        "v_stock_reservations",
        inventory.stock_reservations,
        "Stock reserved for orders.",
        "sku order_id quantity committed reserved_at",
        {"quantity": "Still reserved.", "committed": "Has left for the order."},
    ),
    View(
        "v_expected_deliveries",
        inventory.expected_deliveries,
        "Deliveries that are expected.",
        "sku reference quantity due",
        {"quantity": "Still to come."},
    ),
    View(
        "v_payments",
        payments.payments,
        "Payments as they are now, one row each.",
        "payment_id order_id gateway method currency amount status authorised captured refunded "
        "disputed lost uncaptured voided declined started_at updated_at",
        {
            "disputed": "In disputes that are not settled.",
            "lost": "In disputes that were lost.",
            "uncaptured": "Authorised and neither captured nor let go of.",
        },
    ),
    View(
        "v_ledger_entries",
        payments.ledger_entries,
        "The ledger: two rows per movement of money, which come to nothing together.",
        "position account payment_id order_id what at currency amount",
        {"position": "Of the event that moved it."},
    ),
    View(
        "v_fulfilments",
        fulfilment.fulfilments,
        "How far each approved order is on its way.",
        "order_id stage sentence late over began_at since due_at",
        {"since": "Since when it is at this stage.", "over": "Nothing more is to come."},
    ),
    View(
        "v_expense_claims",
        expenses.expense_claims,
        "Expense claims as they are now, one row each.",
        "claim_id kind status stage currency amount paid submissions returned flags started_at "
        "since",
        {
            "stage": "The one that signs next.",
            "submissions": "How often it was submitted.",
            "returned": "How often a revision was requested.",
            "since": "When it got this status and stage.",
        },
    ),
    View(
        "v_expense_steps",
        expenses.expense_steps,
        "What happened to expense claims.",
        "claim_id version at step previous seconds activity code",
        {
            "step": "Empty for a note or a flag.",
            "previous": "The step before it.",
            "seconds": "The time since the step before.",
            "activity": "What the source of imported history calls it.",
            "code": "Of a flag: the task and the code of the refusal.",
        },
    ),
)


def repoint(connection: Connection, tables: Collection[Table]) -> None:
    """Let the existing views of these tables read the tables that have their names now: on
    PostgreSQL a view stays with a table that is renamed. Columns, grants and views that others made
    of them stay as they are."""
    if connection.dialect.name != "postgresql":
        return
    there = {*inspect(connection).get_view_names()}
    for view in VIEWS:
        if view.table in tables and view.name in there:
            creating = next(view.statements("postgresql"))
            connection.execute(text(creating.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)))


class ViewsInUse(Exception):
    """Other views depend on these; the message names one."""


Grants = Sequence[tuple[str, str, str]]
"""(view, privilege, quoted name of a role)."""


def exist(connection: Connection) -> bool:
    """Whether all views exist."""
    return {each.name for each in VIEWS} <= {*inspect(connection).get_view_names()}


def drop(connection: Connection) -> Grants:
    """Drop the views that exist; returns the grants on them. Raises ViewsInUse."""
    grants = _grants(connection)
    there = {*inspect(connection).get_view_names()}
    try:
        for view in VIEWS:
            if view.name in there:
                connection.execute(text(f"DROP VIEW {view.name}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != DEPENDENT_OBJECTS_STILL_EXIST:
            raise
        detail = str(error.orig).partition("DETAIL:")[2].strip().partition("\n")[0]
        raise ViewsInUse(
            f"The console's views have to be created again, and other views depend on them: "
            f"{detail}. Nothing was changed. Drop those views, run this again, then create them."
        ) from error
    return grants


def create(connection: Connection, grants: Grants = ()) -> None:
    """Create the views, with these grants."""
    for view in VIEWS:
        for statement in view.statements(connection.dialect.name):
            connection.execute(text(statement))
    for name, privilege, role in grants:
        connection.execute(text(f"GRANT {privilege} ON {name} TO {role}"))


def _grants(connection: Connection) -> Grants:
    if connection.dialect.name != "postgresql":
        return ()
    found = text(
        "SELECT c.relname, a.privilege_type,"
        " CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END"
        " FROM pg_class c CROSS JOIN aclexplode(c.relacl) a"
        " LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.relkind = 'v' AND c.relname = ANY(:names) AND pg_table_is_visible(c.oid)"
        " AND a.grantee <> c.relowner ORDER BY 1, 2, 3"
    )
    names = [view.name for view in VIEWS]
    return [(row[0], row[1], row[2]) for row in connection.execute(found, {"names": names})]
