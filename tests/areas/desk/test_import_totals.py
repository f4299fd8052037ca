"""The totals an import is checked against."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Connection

from cqrs_app.areas.desk.queries.import_totals import ImportedTotals, ImportTotals, import_totals
from cqrs_app.kernel.errors import Invalid
from tests.areas.desk.history import History, project
from tests.areas.desk.test_customers import credit
from tests.areas.orders.given import line, place


def test_only_the_named_orders_and_notes_are_counted(connection: Connection) -> None:
    history = History()
    history.run(place("1", line(price="0.001"), line(price="0.001")))
    history.run(place("2", line(quantity=1, price="10"), customer_id=""))
    history.run(place("3", customer_id="other"))
    history.run(credit("C1", "17850", "2.5"))
    history.run(credit("C2", "", "1"))
    history.run(credit("C3", "other", "9"))
    project(connection, history.recorded)
    question = ImportTotals(order_ids=("1", "2", "404"), credit_note_ids=("C1", "C2", "C404"))
    assert import_totals(question, connection) == ImportedTotals(
        orders=2,
        lines={"1": 2, "2": 1},
        statuses={"placed": 2},
        flags={},
        flagged_orders=0,
        currency="GBP",
        orders_by_currency={"GBP": 2},
        total_by_currency={"GBP": Decimal("10.012")},
        sold={"85123A": Decimal("10.012")},
        total=Decimal("10.012"),
        guests=1,
        customers=frozenset({"17850"}),
        credit_notes=2,
        credit_lines={"C1": 1, "C2": 1},
        credited=Decimal(7),
        credited_customers=frozenset({"17850"}),
    )


def test_nothing_named_is_nothing_counted(connection: Connection) -> None:
    found = import_totals(ImportTotals(), connection)
    assert (found.orders, found.sold, found.credited) == (0, {}, 0)


def test_ids_come_in_portions() -> None:
    with pytest.raises(Invalid):
        ImportTotals(order_ids=tuple(str(number) for number in range(401)))
