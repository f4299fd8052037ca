"""Mappings: profiles that are data. Each that ships with the console has a made-up sample."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.orders.amounts import amount_of
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.transfer.imports.documents import Document
from cqrs_app.platform.transfer.imports.fields import (
    suggested_columns,
    suggested_meaning,
)
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.mapping import (
    BadMapping,
    ColumnMapping,
    mapping_file,
    profile_from,
    stored_mapping,
)
from cqrs_app.platform.transfer.imports.preview import read_sheet
from cqrs_app.platform.transfer.imports.profiles import (
    MAPPINGS,
    PROFILES,
    NoProfile,
    profile_of,
)
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.services import services_of
from tests.platform.transfer.imports.reading import Read, read_by
from tests.platform.transfer.imports.test_olist import quiet

SAMPLES = Path(__file__).parent / "samples"
TOTALS = {
    "shopify": ("Name", "Total"),
    "woocommerce": ("order_number", "order_total"),
    "medusa": ("Display_ID", "Total"),
}
SIMPLE = """
[columns]
number = "Order"
at = "Date"
country = "Land"
sku = "Article"
quantity = "Pieces"
unit_price = "Price"

[fixed]
currency = "EUR"
"""


def read(name: str) -> Read:
    return read_by(PROFILES[name])(SAMPLES / f"{name}.csv")


def cost(document: Document) -> Decimal:
    placed: Any = document.steps[0].command
    return amount_of(placed.lines, placed.adjustments)


def steps(contents: Read, number: str) -> dict[str, Any]:
    """Name of a step -> its command."""
    [document] = [each for each in contents.documents if each.key == number]
    return {step.name: step.command for step in document.steps}


def totals_of_file(name: str) -> dict[str, Decimal]:
    number, total = TOTALS[name]
    with (SAMPLES / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";" if name == "medusa" else ","))
    return {row[number].lstrip("#"): Decimal(row[total]) for row in rows if row[total]}


@pytest.mark.parametrize("name", TOTALS)
def test_orders_cost_what_the_file_says(name: str) -> None:
    expected = totals_of_file(name)
    expected.pop("2044", None)  # a draft, which is left out
    assert {each.key: cost(each) for each in read(name).documents} == expected


def test_an_order_of_northwind_costs_its_extended_prices_and_the_freight() -> None:
    found = {each.key: cost(each) for each in read("northwind").documents}
    assert found == {"90248": Decimal("283.68"), "90249": Decimal("65.17")}


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_sample_is_imported_without_flags_that_its_shop_cannot_help(
    console: Flask, name: str
) -> None:
    kernel: Kernel = services_of(console).kernel
    sample = SAMPLES / f"{name}.csv"
    rehearsed = rehearse_file(kernel, PROFILES[name], sample, quiet).figures
    report = import_file(kernel, PROFILES[name], sample, quiet).report
    # One order of the Shopify sample lacks lines, which its total shows.
    odd = {"PlaceOrder.total_differs": 1} if name == "shopify" else {}
    assert (report.flags_by_code, dict(rehearsed.flags_by_code)) == (odd, odd)
    assert (report.refused_by_code, report.adds_up) == ({}, True)
    assert rehearsed.new == report.orders
    assert rehearsed.orders_by_currency == report.orders_by_currency
    assert rehearsed.total_by_currency == report.total_by_currency
    assert report.total == sum(map(cost, read(name).documents))
    repeated = rehearse_file(kernel, PROFILES[name], sample, quiet).figures
    assert repeated.total_by_currency == report.total_by_currency
    again = import_file(kernel, PROFILES[name], sample, quiet).report
    assert again.set_aside_by_reason == report.set_aside_by_reason


def test_tax_is_added_or_part_of_the_prices_as_the_total_shows() -> None:
    contents = read("shopify")
    added, included = steps(contents, "1058"), steps(contents, "13519")
    assert [each.kind for each in added[""].adjustments] == ["tax"]
    assert [each.kind for each in included[""].adjustments] == ["shipping"]
    assert "Prices include 91.17 tax." in included["note"].note


def test_what_is_missing_to_the_total_is_added_and_doubted() -> None:
    [document] = [each for each in read("shopify").documents if each.key == "1095"]
    placed: Any = document.steps[0].command
    assert placed.adjustments[-1].label == "Not in the lines of the file"
    [doubt] = document.steps[0].doubts
    assert (doubt.code, cost(document)) == ("total_differs", Decimal("110.10"))


def test_only_fulfilled_lines_ship() -> None:
    [line] = steps(read("shopify"), "13527")["shipped"].lines
    assert (line.line_no, line.quantity) == (1, 1)


def test_payments_and_refunds_come_in() -> None:
    found = steps(read("shopify"), "1101")
    assert (found["payment"].amount, found["payment"].method) == (Decimal("31.49"), "Stripe")
    assert found["refund"].amount == Decimal("31.49")
    assert "payment" not in steps(read("shopify"), "13527")


def test_addresses_note_and_sku_are_those_of_the_file() -> None:
    found = steps(read("shopify"), "13527")
    address = found[""].shipping_address
    assert (address.line1, address.postal_code) == ("3 Test Road, Unit 4", "6571")
    assert found["note"].note.startswith('Please wrap it.\n\nThank you\n"C"')
    assert steps(read("shopify"), "1058")[""].lines[0].sku == "COMMUNITY-PACK-12"


def test_a_payment_shows_with_its_refund(console: Flask) -> None:
    kernel: Kernel = services_of(console).kernel
    import_file(kernel, PROFILES["shopify"], SAMPLES / "shopify.csv", quiet)
    events = [each.type for each in kernel.store.events_of("payment-1101-P1")]
    assert events == ["PaymentRecorded", "PaymentRefundRequested", "PaymentRefunded"]


def test_an_order_with_a_status_that_is_left_out_is_set_aside() -> None:
    [row] = read("woocommerce").set_aside
    assert (row.row.line, row.reason) == (6, "left_out")


def test_a_mapping_in_a_file_is_a_profile(tmp_path: Path) -> None:
    (tmp_path / "my_shop.toml").write_text(SIMPLE)
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "Order;Date;Land;Article;Pieces;Price\nA1;31.3.26;France;MUG;2;EUR 1.234,50\n"
    )
    [document] = read_by(profile_of(str(tmp_path / "my_shop.toml")))(orders).documents
    assert (document.key, cost(document)) == ("A1", Decimal(2469))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ('"Price"\n', '"Price"\nprize = "Price"\n'),
        ('"Price"\n', '"Price\n'),
        ('currency = "EUR"', "quantity = 1"),
        ('currency = "EUR"', 'at = "today"'),
        ("[fixed]", '[meanings]\nSent = "shipped"\n[fixed]'),
        ("[fixed]", '[format]\ndates = "american"\n[fixed]'),
    ],
)
def test_an_error_in_a_mapping_names_the_line(tmp_path: Path, change: str, sentence: str) -> None:
    path = tmp_path / "my_shop.toml"
    text = SIMPLE.replace(change, sentence)
    path.write_text(text)
    with pytest.raises(BadMapping, match=r"line \d+.*Nothing was imported\.$"):
        mapping_file(path)


def test_a_mapping_that_lacks_a_needed_column_says_which(tmp_path: Path) -> None:
    path = tmp_path / "my_shop.toml"
    path.write_text(SIMPLE.replace('number = "Order"\n', ""))
    with pytest.raises(BadMapping, match="Choose the column of order number"):
        mapping_file(path)


def test_a_mapping_survives_being_stored() -> None:
    for mapping in MAPPINGS.values():
        assert stored_mapping(mapping.as_json()) == mapping
    with pytest.raises(BadMapping):
        stored_mapping("[]")


@pytest.mark.parametrize("content", ['{"zone":[]}', '{"zone":{}}', '{"documentation":[]}'])
def test_a_mapping_with_a_value_of_another_type_is_refused(content: str) -> None:
    with pytest.raises(BadMapping, match="is a text"):
        stored_mapping(content)


def test_an_error_in_a_python_profile_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "my_shop.py"
    path.write_text("import re\n\nPROFILE = re.nonsense\n")
    with pytest.raises(NoProfile, match=r"my_shop\.py, line 3: AttributeError: .*imported\.$"):
        profile_of(str(path))
    path.write_text("PROFILE = (\n")
    with pytest.raises(NoProfile, match=r"my_shop\.py, line 1: SyntaxError"):
        profile_of(str(path))


NOT_SUGGESTED = {
    "shopify": {"customer_id": "Email", "external_number": "Id"},
    "woocommerce": {"customer_id": "billing_email", "external_number": "order_id"},
    # Its subtotal is that of an order, of which nothing tells that it has one line.
    "medusa": {
        "customer_id": "Customer Email",
        "external_number": "Order_ID",
        "line_price": "Subtotal",
        "ship_name": "Customer First name",
        "ship_last_name": "Customer Last name",
    },
    # Columns that belong to the customer, not to the bill, as far as their names go.
    "northwind": {
        "bill_name": "CustomerName",
        "bill_line1": "Address",
        "bill_postal_code": "PostalCode",
        "bill_city": "City",
        "bill_country": "Country",
    },
}
"""What the mapping of a sample has and its columns do not suggest: field -> column. Whoever has no
number is known by their address anyway."""


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_columns_of_a_sample_suggest_its_mapping(name: str) -> None:
    sheet = read_sheet(SAMPLES / f"{name}.csv")
    found, expected = suggested_columns(sheet.header, sheet.values), MAPPINGS[name].columns
    assert found == {
        field: column for field, column in expected.items() if field not in NOT_SUGGESTED[name]
    }
    assert NOT_SUGGESTED[name].items() <= expected.items()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("0", "0.15", "0,2"), "discount_share"),
        (("10%", "12.5 %"), "discount_share"),
        (("1", "0.05"), "discount_share"),
        (("0", "0.00"), "discount"),
        (("0.15", "2.50"), "discount"),
        (("15",), "discount"),
        (("none", "0.15"), "discount"),
        ((), "discount"),
    ],
)
def test_the_values_of_a_discount_show_whether_it_is_a_share(
    values: tuple[str, ...], field: str
) -> None:
    header = ("Unit price", "Quantity", "Discount")
    expected = {"unit_price": "Unit price", "quantity": "Quantity", field: "Discount"}
    assert suggested_columns(header, {"Discount": values}) == expected
    # Without prices of units there is nothing that it could be a share of.
    total = suggested_columns(("Quantity", "Discount"), {"Discount": values})
    assert total == {"quantity": "Quantity", "discount": "Discount"}


def test_headings_with_spaces_and_brackets_are_suggested() -> None:
    header = "Order Number,Order Date,Item Name,Quantity (- Refund),Item Cost,Order Total Amount"
    parts = ("First Name", "Address 1&2", "Postcode", "City", "Country Code", "Email")
    found = suggested_columns([*header.split(","), *(f"{each} (Billing)" for each in parts)])
    assert set(found) == {
        *("number", "at", "description", "quantity", "unit_price", "total", "email"),
        *("customer_name", "bill_name", "bill_line1", "bill_postal_code", "bill_city"),
        "bill_country",
    }


def test_a_column_with_a_name_that_is_too_long_is_not_suggested() -> None:
    assert suggested_columns([f"S{' ' * 200}KU", "Qty"]) == {"quantity": "Qty"}


def test_a_meaning_is_suggested_for_the_values_of_a_status() -> None:
    assert [suggested_meaning(each) for each in ("Fulfilled", "canceled", "pending")] == [
        "shipped",
        "cancelled",
        "",
    ]


def test_mappings_know_the_documents_of_each_other(console: Flask, tmp_path: Path) -> None:
    kernel: Kernel = services_of(console).kernel
    path = tmp_path / "orders.csv"
    path.write_text("Order,Date,Land,Article,Pieces,Price\nA1,2026-03-31,France,MUG,2,1.50\n")
    columns = {"number": "Order", "at": "Date", "country": "Land", "sku": "Article"}
    columns |= {"quantity": "Pieces", "unit_price": "Price"}
    mapping = ColumnMapping(columns=columns, fixed={"currency": "EUR"})
    for name in ("one", "two"):
        report = import_file(kernel, profile_from(mapping, name), path, quiet).report
        assert (report.orders, report.set_aside) == (1, 0)
    assert len(kernel.store.events_of("order-A1")) == 1


def test_the_guide_names_every_mapping_and_its_documentation() -> None:
    guide = (Path(__file__).parents[4] / "docs" / "imports.md").read_text()
    for name, mapping in MAPPINGS.items():
        assert f"## Profile `{name}`" in guide
        assert mapping.documentation in guide
    assert json.loads(MAPPINGS["shopify"].as_json())["columns"]["number"] == "Name"
