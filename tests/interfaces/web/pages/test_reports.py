"""The reports page: every figure leads to the rows it counts, and to a file of its panel."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pyarrow import parquet
from sqlalchemy import event, select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders.commands import RecordCreditNote
from cqrs_app.areas.orders.types import CreditedLine
from cqrs_app.areas.payments.commands import RecordPayment, RefundPayment
from cqrs_app.areas.payments.gateway_commands import ANSWER, RecordRefund
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, client_in, order_in

LINKS = "#report-whole dd a, #report-days td a, #report-countries td a, #report-products td a"
CUSTOMERS = "#report-customers td a"
LISTS = {
    "/orders": "ListOrders",
    "/credit-notes": "ListCreditNotes",
    "/refunded-orders": "ListRefundedOrders",
}


AMOUNTS = ("refunded", "total", "amount")
"""The column of such a list that its figure adds up."""


def refund_half(app: Flask, order_id: str) -> None:
    """Record a payment of the whole order, and refund half of it."""
    kernel = services_of(app).kernel
    with kernel.engines.query.connect() as connection:
        found = select(orders.c.total, orders.c.currency).where(orders.c.order_id == order_id)
        total, currency = connection.execute(found).one()
    half = (total / 2).quantize(Decimal("0.01"))
    paid = {"payment_id": "P-1", "order_id": order_id, "amount": total, "currency": currency}
    actor = Actor("ada", ROLES["admin"] | {ANSWER})
    for command in (
        RecordPayment(**paid, method="bank transfer", reference="B1"),
        RefundPayment(payment_id="P-1", amount=half, reason="Half of it came back."),
        RecordRefund(payment_id="P-1", request_no=1, reference="R1"),
    ):
        kernel.commands.execute(command, Context(actor=actor, channel="test"))
    catch_up(app)


def credit(app: Flask) -> None:
    """Record credit notes that differ in one thing each: customer, country, currency, time."""
    kernel = services_of(app).kernel
    actor = Actor("ada", ROLES["admin"] | {HISTORY})
    long_ago = datetime(2010, 12, 1, 12, tzinfo=UTC)
    for number, (customer_id, country, currency, at) in enumerate(
        (
            ("17850", "France", "EUR", None),
            ("13047", "France", "EUR", None),
            ("17850", "Germany", "EUR", None),
            ("17850", "France", "GBP", None),
            ("17850", "France", "EUR", long_ago),
        ),
        start=1,
    ):
        line = CreditedLine(sku="LAMP", quantity=number, unit_price=Decimal("1.50"))
        note = RecordCreditNote(
            credit_note_id=f"C-{number}",
            customer_id=customer_id,
            country=country,
            currency=currency,
            lines=(line,),
        )
        kernel.commands.execute(note, Context(actor=actor, channel="test", occurred_at=at))
    catch_up(app)


def soup_of(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return BeautifulSoup(answer.get_data(), "html.parser")


def rows_behind(client: FlaskClient, address: str) -> list[dict[str, str]]:
    """The rows of the list at this address, all its pages: as its download."""
    path, _, query = address.partition("?")
    assert client.get(address).status_code == 200
    answer = client.get(f"/exports/{LISTS[path]}.csv?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def label_of(link: Tag) -> str:
    cell = link.find_parent("td")
    if cell is not None:
        return str(cell["data-label"])
    title = link.find_previous("dt")
    assert title is not None
    return title.get_text()


def figure_of(link: Tag) -> Decimal:
    """Exactly, where the page shows what is charged."""
    exact = link.select_one("[title]")
    text = str(exact["title"]).removeprefix("Exactly ") if exact else link.get_text()
    return Decimal(text.removeprefix("EUR").replace(",", "").strip())


def test_every_figure_is_what_the_list_behind_it_comes_to(shop: Flask) -> None:
    refund_half(shop, order_in(shop, "shipped"))
    credit(shop)
    client, seen = client_in(shop, "admin"), set()
    for link in soup_of(client, "/reports").select(f"{LINKS}, {CUSTOMERS}"):
        rows, label = rows_behind(client, str(link["href"])), label_of(link)
        seen.add(label)
        if label == "Units" or (link.find_parent(id="report-products") and label == "Revenue"):
            # A list shows whole orders, not the lines of one article.
            assert rows, link
            continue
        amounts = [Decimal(next(row[name] for name in AMOUNTS if name in row)) for row in rows]
        if label == "Orders":
            assert figure_of(link) == len(rows)
        elif label == "Average order":
            assert figure_of(link) == (sum(amounts) / len(rows)).quantize(Decimal("0.01"))
        else:
            assert figure_of(link) == sum(amounts), label
    assert seen >= {
        "Revenue",
        "Orders",
        "Average order",
        "Units",
        "Cancelled",
        "Refunded",
        "Credited",
    }


def number_of_rows(address: str, content: bytes) -> int:
    """The rows in a file, without its header."""
    if ".xlsx" in address:
        return int(load_workbook(io.BytesIO(content)).worksheets[0].max_row) - 1
    if ".parquet" in address:
        return int(parquet.read_table(io.BytesIO(content)).num_rows)
    if ".csv-excel" in address:
        return len(content.decode("utf-8-sig").splitlines()) - 1
    return len(content.decode().splitlines()) - address.count(".csv")


def test_a_panels_file_holds_its_rows(shop: Flask) -> None:
    client = client_in(shop, "admin")
    for panel in soup_of(client, "/reports").select("section:has(a[download])"):
        shown = [th.get_text() for th in panel.select("tbody th")]
        for link in panel.select("a[download]"):
            answer = client.get(str(link["href"]))
            assert answer.status_code == 200
            assert number_of_rows(str(link["href"]), answer.data) >= len(shown) > 0


@pytest.mark.parametrize("role", ["viewer", "supervisor"])
def test_files_are_offered_to_those_who_may_export(
    client_of: Callable[[str], FlaskClient], role: str
) -> None:
    offered = soup_of(client_of(role), "/reports").select("a[download]")
    assert len(offered) == (0 if role == "viewer" else 20)


def test_filters_are_chips_and_narrow_every_panel(shop: Flask) -> None:
    client = client_in(shop, "viewer")
    country = soup_of(client, "/reports").select("#report-countries tbody th")[-1].get_text()
    page = soup_of(client, f"/reports?country={country}&currency=EUR")
    chips = [chip.get_text(" ", strip=True) for chip in page.select(".chip")]
    assert chips == [
        f"Country {country} remove this filter",
        "Currency EUR remove this filter",
    ]
    assert [th.get_text() for th in page.select("#report-countries tbody th")] == [country]
    assert "No rows match" in soup_of(client, "/reports?currency=JPY").get_text()


def test_days_without_figures_lead_to_the_last_that_have_some(shop: Flask) -> None:
    client = client_in(shop, "viewer")
    page = soup_of(client, "/reports?day_from=2020-01-01&day_to=2020-01-31")
    assert "Nothing was sold or credited in these days" in page.get_text()
    (link,) = page.select(".empty a")
    assert soup_of(client, str(link["href"])).select("#report-whole")


def test_a_shop_without_orders_has_no_figures_yet(console: Flask) -> None:
    assert "No figures yet" in soup_of(client_in(console, "viewer"), "/reports").get_text()


def test_more_days_than_a_report_shows_get_a_sentence(shop: Flask) -> None:
    client, year = client_in(shop, "viewer"), datetime.now(UTC).year
    assert client.get(f"/reports?day_from={year - 1}-12-01&day_to={year}-12-01").status_code == 200
    answer = client.get(f"/reports?day_from={year - 2}-01-01&day_to={year}-12-01")
    assert answer.status_code == 422
    assert "Choose at most 400 days for one report." in answer.get_data(as_text=True)


def test_a_page_asks_the_store_as_often_for_many_rows_as_for_few(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, statements = client_of("viewer"), []
    engine = services_of(shop).kernel.engines.query
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for address in ("/reports", f"/reports?day_from={datetime.now(UTC):%Y-%m-%d}"):
        statements.clear()
        soup_of(client, address)
        counts.append(len([each for each in statements if "_days" in each]))
    assert counts[0] <= 5
    assert max(counts) == counts[0]


def test_credit_notes_are_listed_with_their_filters(shop: Flask) -> None:
    client = client_in(shop, "viewer")
    page = soup_of(client, "/credit-notes?country=Atlantis")
    assert "No credit notes match" in page.get_text()
    assert soup_of(client, "/credit-notes").find("h1", string="Credit notes")
