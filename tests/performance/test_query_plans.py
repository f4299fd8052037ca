"""No query that people or processes wait for reads a growing table from end to end.

A console on PostgreSQL with some 20,000 rows in every growing table is used: each page, each
query, each order of the lists; a command, a batch of events, what follows the log. Every statement
that this sends is explained with the values it was sent with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import psycopg
import pytest
from flask import Flask

from cqrs_app.areas.desk.queries.order_list import SORTS
from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.context import MinVersion, QueryContext
from cqrs_app.kernel.store import tables
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.performance.many_rows import growing, multiply
from tests.performance.plenty import ADA, do, grow, one_more, rich
from tests.performance.test_statement_counts import addresses, questions
from tests.services.statements import Sent, statements

PARTS = 3

_ALL_DAYS = "a report over all days that there are; over some of them it reads those"
_ALL_CLAIMS = "how claims flow is a report over all that there are"
_COUNTED = "counting stops behind the 10,000th row"
# Intended sequential scans: (table, part of the statement) and the reason.
_RETENTION = "once an hour, what is too old is deleted"
MEANT: dict[tuple[str, str], str] = {
    ("sales_days", "FROM sales_days GROUP BY"): _ALL_DAYS,
    ("product_days", "FROM product_days GROUP BY"): _ALL_DAYS,
    ("customer_days", "FROM customer_days GROUP BY"): _ALL_DAYS,
    ("expense_claims", "GROUP BY expense_claims."): _ALL_CLAIMS,
    ("expense_steps", "GROUP BY anon_1.previous"): _ALL_CLAIMS,
    ("expense_steps", "GROUP BY expense_steps.step"): _ALL_CLAIMS,
    ("products", "AS one FROM products"): _COUNTED,
    ("customer_accounts", "AS one FROM customer_accounts"): _COUNTED,
    ("products", "products.search LIKE"): "words of a product are looked for in all of them",
    ("ledger_entries", "FROM ledger_entries GROUP BY"): "the balance adds up every entry",
    (
        "bus_statistics",
        "GROUP BY bus_statistics.name",
    ): "Prometheus counts all there is: a month",
    ("imports", "imports.uploaded_at <"): _RETENTION,
    ("import_chunks", "imports.uploaded_at <"): _RETENTION,
    ("sessions", "DELETE FROM sessions"): _RETENTION,
    (
        "subject_keys",
        "max(subject_keys.erased_at)",
    ): "once an hour, to see whether a person was erased",
}

FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "words": {"q": "rich lamp"},
    "stage": {"stage": ["needs_approval"]},
    "rare stage": {"stage": ["rejected"]},
    "stages": {"stage": ["ready_to_ship", "partly_shipped"]},
    "tag": {"tag": "vip"},
    "status": {"status": ["placed"]},
    "statuses": {"status": ["approved", "part_shipped"]},
    "flagged": {"flagged": True},
    "customer": {"customer_id": "C1"},
    "sku": {"sku": "S1"},
    "country": {"country": "France"},
    "rare country": {"country": "Norway"},
    "currency": {"currency": "EUR"},
    "rare currency": {"currency": "NOK"},
    "days": {"placed_from": "2026-01-01", "placed_to": "2026-01-02"},
    "totals": {"min_total": "7.5000", "max_total": "7.6000"},
}


@pytest.fixture
def full(make_console: Callable[..., Flask]) -> Flask:
    app = make_console(query_caching_enabled=False)
    grow(app, range(PARTS + 1))
    rich(app, PARTS)
    client_in(app, "admin").get("/")
    services_of(app).kernel.statistics.flush()
    multiply(app)
    return app


def ask(kernel: Kernel, name: str, fields: dict[str, Any]) -> Any:
    return kernel.queries.ask(
        parse(kernel.registry.query(name), fields), QueryContext(actor=ADA)
    ).value


def reading(app: Flask) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each page and each query, by name."""
    kernel, client = services_of(app).kernel, client_in(app, "admin")
    changes = f"/orders/changes?since={kernel.store.head() - 10}"
    for name, address in (addresses(PARTS) | {"web.orders_changes": changes}).items():
        yield name, partial(client.get, address)
    for name, fields in questions(kernel, PARTS).items():
        yield name, partial(ask, kernel, name, fields)
    yield (
        "own write",
        partial(kernel.queries.wait_until_shown, ["orders"], _seen(kernel), 0.0, "ana"),
    )


def _seen(kernel: Kernel) -> Any:

    return MinVersion("order-O1", 2)


def listing(app: Flask) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The order list by every filter in every order, its second page and its changes."""
    kernel = services_of(app).kernel

    def two_pages(fields: dict[str, Any]) -> None:
        first = ask(kernel, "ListOrders", fields)
        if first.next:
            ask(kernel, "ListOrders", fields | {"after": first.next})

    for (what, fields), sort, descending in product(FILTERS.items(), SORTS, (True, False)):
        order = {"sort": sort, "descending": descending, "limit": 25}
        yield f"orders: {what} by {sort} {descending}", partial(two_pages, fields | order)
    for what, fields in FILTERS.items():
        changes = fields | {"since": kernel.store.head() - 10}
        yield f"changes: {what}", partial(ask, kernel, "CountChanges", changes)


def working(app: Flask) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What happens to events: commands, projections, followers, dispatchers, the sweep."""
    kernel = services_of(app).kernel
    approve = ApproveOrder(order_id="N1")
    yield "command", partial(kernel.commands.execute, approve, Context(actor=ADA, channel="test"))
    yield "commands", partial(do, app, list(one_more(77)))
    for name in kernel.registry.subscriptions:
        yield f"subscription {name}", partial(kernel.runner.advance, name)
    for name, dispatcher in kernel.tasks.items():
        yield f"{name} due", dispatcher._due
    yield "follower", partial(kernel.tasks["fulfilment"]._work, "orders")
    yield "deliverer", partial(kernel.tasks["webhooks"]._work, f"rich-{PARTS}")
    yield "sweep", Sweep(kernel).once


@pytest.mark.parametrize("kind", ["postgresql"])
def test_no_growing_table_is_read_from_end_to_end(full: Flask) -> None:
    found: dict[tuple[str, str], str] = {}
    for ways in (reading, listing, working):
        for who, act in ways(full):
            with statements() as sent:
                act()
            found |= dict.fromkeys(scanned(full, sent), who)
    meant = {each: _meant(*each) for each in found}
    told = [f"{found[each]}: {each[0]}\n    {each[1]}" for each in found if meant[each] is None]
    assert not told, "\n".join(told)
    assert set(MEANT) == set(meant.values()), "an exception that is not needed any more"


def _meant(table: str, sql: str) -> tuple[str, str] | None:
    fits = (each for each in MEANT if each[0] == table and each[1] in sql)
    return next(fits, None)


def scanned(app: Flask, sent: list[Sent]) -> Iterator[tuple[str, str]]:
    """(table, statement) for each sequential scan of a growing table in these statements' plans."""
    kernel: Kernel = services_of(app).kernel
    large = {
        each.name
        for each in growing([*tables.write_tables.sorted_tables, *tables.read_tables.sorted_tables])
    }
    for engine in (kernel.engines.write, kernel.engines.read):
        mine = {str(each): each for each in sent if each.database == engine.url.database}
        address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, cursor_factory=psycopg.ClientCursor) as connection:
            for each in mine.values():
                if each.sql.split(None, 1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
                    for table in scans(plan_of(connection, each)):
                        if table in large:
                            yield table, str(each)


def plan_of(connection: psycopg.Connection, sent: Sent) -> dict[str, Any]:
    values = sent.parameters[0] if sent.many else sent.parameters
    explained = connection.execute(f"EXPLAIN (FORMAT JSON) {sent.sql}", values or None).fetchone()
    assert explained is not None
    plan: dict[str, Any] = explained[0][0]["Plan"]
    return plan


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads in sequence; not for the first few rows of whichever."""
    for part in plan.get("Plans", ()):
        whichever = plan["Node Type"] == "Limit" and "Filter" not in part
        if not (whichever and part["Node Type"] == "Seq Scan"):
            yield from scans(part)
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
