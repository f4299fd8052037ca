"""The page on which the columns of a file are chosen: suggested, previewed, saved, used."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cqrs_app.kernel.errors import Refused
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.transfer.imports.test_mappings import SAMPLES
from tests.platform.transfer.imports.test_workbook import workbook
from tests.platform.transfer.uploads.conftest import id_in, row_of, send, take_in

ORDERS = b"""Order;Date;Land;Article;Pieces;Price;State
A1;31.3.2026;France;MUG;2;1.234,50;sent
A1;31.3.2026;France;TEA;1;4,00;sent
A2;1.4.2026;Spain;MUG;1.5;4,00;new
A3;2.4.2026;Spain;TEA;1;4,00;void
"""

TOTALS = {
    "shopify": ("6876.290", ""),
    "woocommerce": ("80.790", "EUR"),
    "medusa": ("168.000", "DKK"),
    "northwind": ("348.850", "USD"),
}
"""What the orders of the samples come to, added up by hand."""


def sent(client: FlaskClient, content: bytes = ORDERS, name: str = "orders.csv") -> str:
    """Send a file whose columns are to be chosen; returns the address of the page for them."""
    answer = send(client, content, name, profile="columns")
    assert answer.status_code == 303, answer.text
    address = str(answer.location)
    assert address.endswith("/columns")
    return address


def values_of(shown: Tag) -> dict[str, str]:
    """What a browser would send of the form."""
    form = shown.select_one("#columns-form")
    assert form is not None
    found = {str(each["name"]): str(each.get("value", "")) for each in form.select("input")}
    for each in form.select("select"):
        chosen = each.select_one("option[selected]") or each.select_one("option")
        found[str(each["name"])] = str(chosen["value"]) if chosen else ""
    return found


def press(client: FlaskClient, address: str, action: str, **changed: str) -> TestResponse:
    values = values_of(page(client, address)) | changed | {"action": action}
    return client.post(address.partition("?")[0], data=values)


def words(answer: TestResponse) -> str:
    return " ".join(BeautifulSoup(answer.get_data(), "html.parser").get_text(" ").split())


def test_columns_are_suggested_and_the_orders_shown(console: Flask) -> None:
    client = client_in(console, "supervisor")
    address = sent(client)
    values = values_of(page(client, address))
    assert (values["column.number"], values["column.quantity"]) == ("Order", "Pieces")
    assert "Choose the column of currency." in page(client, address).get_text(" ")
    answer = press(
        client, address, "preview", **{"fixed.currency": "EUR", "meaning.sent": "shipped"}
    )
    text = words(answer)
    assert answer.status_code == 200
    assert "2 orders in the first 4 rows" in text
    assert "MUG EUR 1,234.50" in text
    assert "2,473.00" in text
    assert "This is not a whole number." in text
    assert "shipped" in text


def test_the_preview_says_why_an_order_is_left_out(console: Flask) -> None:
    client = client_in(console, "supervisor")
    address = sent(client)
    answer = press(
        client, address, "preview", **{"fixed.currency": "EUR", "meaning.void": "left_out"}
    )
    assert "The mapping leaves out orders with this status." in words(answer)


def test_the_meaning_of_a_status_with_spaces_around_it_is_used(console: Flask) -> None:
    client = client_in(console, "supervisor")
    content = ORDERS.replace(b";void", b"; Void ").replace(b"1.5", b"1")
    shown = {"fixed.currency": "EUR", "meaning.void": "left_out"}
    answer = press(client, sent(client, content), "preview", **shown)
    assert "2 orders in the first 4 rows" in words(answer)
    assert set(values_of(page(client, sent(client, content)))) >= {"meaning.void"}


def test_a_dry_run_says_what_would_happen_and_the_import_does_it(console: Flask) -> None:
    client = client_in(console, "supervisor")
    address = sent(client)
    answer = press(client, address, "dry_run", **{"fixed.currency": "EUR", "name": "My Shop"})
    rehearsed = take_in(console, id_in(answer))
    assert (rehearsed.state, rehearsed.rehearsal, rehearsed.profile) == ("done", True, "my-shop")
    figures = json.loads(rehearsed.report)
    assert (figures["new"], figures["set_aside"]) == (2, 1)
    assert not services_of(console).kernel.store.events_of("order-A1")
    shown = page(client, f"/imports/{rehearsed.import_id}")
    assert (figures["orders_by_currency"], figures["total_by_currency"]) == (
        {"EUR": 2},
        {"EUR": "2477.000"},
    )
    seen = " ".join(shown.get_text(" ").split())
    assert "of these: new 2" in seen
    assert "Orders in EUR, with discounts, shipping and tax 2 orders, EUR 2,477.00" in seen
    form = shown.select_one("form[action$='/import']")
    assert form is not None
    token = {str(each["name"]): each["value"] for each in form.select("input")}
    used = id_in(client.post(str(form["action"]), data=token))
    assert id_in(client.post(str(form["action"]), data=token)) == used
    imported = take_in(console, used)
    report = json.loads(imported.report)
    assert (report["orders"], report["gross"], report["set_aside"]) == (2, "2477.000", 1)
    assert report["total_by_currency"] == figures["total_by_currency"]


def test_columns_can_be_chosen_again_while_the_start_waits_for_a_worker(
    make_console: Callable[..., Flask],
) -> None:
    console = make_console(command_bus_type="asynchronous")
    client, kernel = client_in(console, "supervisor"), services_of(console).kernel
    address = sent(client)
    for action in ("dry_run", "dry_run", "import"):
        answer = press(client, address, action, **{"fixed.currency": "EUR"})
        assert answer.status_code == 303, words(answer)
    waiting = list(kernel.log.waiting(kernel.clock() + timedelta(seconds=1)))
    for command_id in waiting:
        with suppress(Refused):
            kernel.commands.run_queued(command_id)
    row = row_of(console, address.split("/")[2])
    [started] = kernel.store.events_of(f"import-{row.import_id}")
    assert (row.rehearsal, started.type, len(waiting)) == (False, "ImportStarted", 2)


def test_a_saved_mapping_is_used_by_page_and_command_line(console: Flask, tmp_path: Path) -> None:
    client = client_in(console, "supervisor")
    address = sent(client)
    assert press(client, address, "save", **{"fixed.currency": "EUR"}).status_code == 422
    saved = press(client, address, "save", **{"fixed.currency": "EUR", "name": "my-shop"})
    assert saved.status_code == 303
    values = values_of(page(client, saved.location))
    assert (values["fixed.currency"], values["name"]) == ("EUR", "my-shop")
    assert "my-shop" in page(client, "/imports").get_text()
    started = send(client, ORDERS, "again.csv", profile="my-shop")
    assert json.loads(take_in(console, id_in(started)).report)["orders"] == 2
    path = tmp_path / "orders.csv"
    path.write_bytes(ORDERS.replace(b"A1", b"B1"))
    runner = console.test_cli_runner()
    result = runner.invoke(args=["import", str(path), "--mapping", "my-shop"])
    assert result.exit_code == 0, result.output
    assert services_of(console).kernel.store.events_of("order-B1")
    result = runner.invoke(args=["import", str(path), "--mapping", "other"])
    assert (result.exit_code, "There is no mapping other." in result.output) == (2, True)


def test_a_customer_without_a_number_is_known_by_their_address(console: Flask) -> None:
    client = client_in(console, "supervisor")
    content = (
        b"Order,Date,Currency,Email,Country,SKU,Qty,Price\n7,2026-03-01,EUR,a@b.example,FR,M,1,2\n"
    )
    report = take_in(console, id_in(press(client, sent(client, content), "import"))).report
    assert json.loads(report)["registered_customers"] == 1


def test_a_mapping_that_lacks_something_starts_nothing(console: Flask) -> None:
    client = client_in(console, "supervisor")
    address = sent(client)
    answer = press(client, address, "import", **{"column.quantity": ""})
    assert answer.status_code == 422
    assert "Choose the column of quantity." in words(answer)
    assert row_of(console, address.split("/")[2]).mapping == ""


def test_a_value_that_cannot_be_used_gets_a_sentence(console: Flask) -> None:
    client = client_in(console, "supervisor")
    answer = press(client, sent(client), "preview", zone="Atlantis")
    assert "There is no time zone Atlantis." in words(answer)


@pytest.mark.parametrize("name", ["shopify", "woocommerce", "medusa", "northwind"])
def test_a_shops_export_comes_in_by_the_page_alone(console: Flask, name: str) -> None:
    client = client_in(console, "supervisor")
    address = sent(client, (SAMPLES / f"{name}.csv").read_bytes(), f"{name}.csv")
    answer = press(client, f"{address}?use={name}", "import")
    imported = take_in(console, id_in(answer))
    report = json.loads(imported.report)
    assert (imported.state, report["refused_by_code"]) == ("done", {})
    assert (report["total"], report["currency"]) == TOTALS[name]
    shown = words(client.get(f"/imports/{imported.import_id}"))
    for currency, total in report["total_by_currency"].items():
        assert f"{currency} {Decimal(total):,.2f}" in shown
    assert ("Lines of the orders" in shown) == (report["currency"] != ""), (
        "no sums of several currencies"
    )
    # Nothing is saved without a name.
    assert "Saved mappings" not in page(client, "/imports").get_text()


def test_a_workbook_is_shown_like_any_file(console: Flask, tmp_path: Path) -> None:
    client = client_in(console, "supervisor")
    rows: list[Any] = [("Order", "Date", "Article", "Pieces", "Price"), ("A1", "x", "MUG", 2, 4)]
    content = workbook(tmp_path / "some.xlsx", {"Orders": rows}).read_bytes()
    shown = page(client, sent(client, content, "some.xlsx"))
    assert values_of(shown)["column.sku"] == "Article"


def test_a_file_that_cannot_be_read_says_so(console: Flask) -> None:
    client = client_in(console, "supervisor")
    shown = page(client, sent(client, b"PK\x03\x04 nonsense", "some.xlsx"))
    assert "cannot be read" in shown.get_text()
    shown = page(client, sent(client, gzip.compress(ORDERS)[:-9], "orders.csv.gz"))
    assert "orders.csv.gz cannot be read" in shown.get_text()
    assert gettempdir() not in shown.get_text()
    assert "has no rows below" in page(client, sent(client, b"Order,Date\n")).get_text()


def test_columns_are_not_for_everybody(console: Flask) -> None:
    address = sent(client_in(console, "supervisor"))
    other = client_in(console, "viewer")
    assert other.get(address).status_code == 403
    form = {"action": "import", "file": (io.BytesIO(), "")}
    assert other.post(address, data=form).status_code in (403, 422)
