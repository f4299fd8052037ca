"""Each reason for which rows are set aside names line, column and value, or says here why not."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.areas.expenses.commands import DraftExpenseClaim, SubmitExpenseClaim
from cqrs_app.areas.orders.commands import PlaceOrder, RecordCreditNote
from cqrs_app.areas.orders.types import CreditedLine, OrderLine
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.errors import Unavailable
from cqrs_app.platform.transfer.imports import canonical_csv
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.fields import FIELDS
from cqrs_app.platform.transfer.imports.formats import Format
from cqrs_app.platform.transfer.imports.importer import import_file, not_taken
from cqrs_app.platform.transfer.imports.mapping import ColumnMapping, profile_from
from cqrs_app.platform.transfer.imports.profiles import PROFILES
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from tests.platform.transfer.imports.reading import read_by
from tests.platform.transfer.imports.test_bpi2020 import SUBMITTED, log, trace
from tests.platform.transfer.imports.test_canonical import GOOD, run
from tests.platform.transfer.imports.test_olist import few, quiet
from tests.platform.transfer.imports.test_reasons import HEAD, written

__all__ = ["few"]

SAMPLES = Path(__file__).parent / "samples"
About = tuple[int, str, str]
"""Line, column and value."""
ROW = "7,2026-03-01,C1,,France,MUG,2,1.50"
FULL = {
    "number": "A1",
    "at": "2026-03-01",
    "currency": "EUR",
    "sku": "MUG",
    "quantity": "2",
    "unit_price": "5",
    "payment_status": "paid",
    **dict.fromkeys(("country", "ship_country", "bill_country"), "France"),
    **dict.fromkeys(("ship_line1", "ship_city", "bill_line1", "bill_city"), "x"),
}
"""A row that can be imported: field -> value."""
MADE_OF_SEVERAL = {"external_number", "line_price"} | {
    name for name in FIELDS if name.endswith("last_name")
}
"""They are part of a value that another column names: the note, the unit price, the name."""
BEGINNINGS = (PlaceOrder, RecordCreditNote, DraftExpenseClaim, SubmitExpenseClaim)
"""Commands that the documents of all profiles begin with."""

NO_COLUMN = {
    "payment": "Whatever the row has, no payment is imported.",
    "unreadable": "The countersign profile has a sentence for what no other one is about.",
}
"""Reason of a profile -> why rows are set aside for it as a whole."""
NOT_IN_HISTORY = {
    "withdrawn_currency": "It was not withdrawn then.",
    "unknown_country": "It is kept as the file has it.",
    "no_lines": "The order is taken and flagged.",
    "no_amount": "The claim is taken and flagged.",
    "before_last_step": "The claim is taken and flagged.",
    "not_your_claim": "Whoever it was did it.",
    "unknown_customer": "Areas do not check history.",
    "inactive_customer": "Areas do not check history.",
    "unknown_product": "Areas do not check history.",
    "no_such_order": "Areas do not check history.",
    "nothing_to_exchange": "Areas do not check history.",
}
"""Refusal of a command that begins a document -> why no import is refused with it."""


def invoices(*rows: str) -> Callable[[Path], Path]:
    return lambda folder: written(folder / "day.csv", HEAD, *rows)


def documents(*plain: Mapping[str, Any]) -> Callable[[Path], Path]:
    return lambda folder: written(folder / "day.jsonl", *map(json.dumps, plain))


def traces(*names: str) -> Callable[[Path], Path]:
    def file(folder: Path) -> Path:
        path = folder / "day.xes"
        path.write_bytes(log(*(trace(each, SUBMITTED, Amount="5") for each in names)))
        return path

    return file


WHILE_READING: Mapping[tuple[str, str], tuple[Callable[[Path], Path], About]] = {
    ("online-retail", "write_off"): (
        invoices("536365,MUG,mug,-2,2026-03-01,0,,France"),
        (2, "Quantity", "-2"),
    ),
    ("online-retail", "zero_price"): (
        invoices("536365,MUG,mug,2,2026-03-01,0.00,,France"),
        (2, "UnitPrice", "0.00"),
    ),
    ("online-retail", "adjustment"): (
        invoices("A536365,B,Adjust bad debt,1,2026-03-01,11,,France"),
        (2, "InvoiceNo", "A536365"),
    ),
    ("woocommerce", "left_out"): (
        lambda folder: SAMPLES / "woocommerce.csv",
        (6, "status", "checkout-draft"),
    ),
    ("countersign", "repeated_document"): (documents(GOOD, GOOD), (2, "order_id", "1")),
    ("bpi2020", "repeated_trace"): (
        traces("declaration 1", "declaration 1"),
        (4, "Trace", "declaration 1"),
    ),
}


def about(each: SetAside) -> About:
    assert each.sentence
    return each.row.line, each.column, each.value


@pytest.mark.parametrize(("profile", "reason"), WHILE_READING)
def test_what_is_set_aside_while_reading_names_its_column(
    tmp_path: Path, profile: str, reason: str
) -> None:
    file, expected = WHILE_READING[profile, reason]
    contents = PROFILES[profile].read(file(tmp_path), Format())
    list(contents.documents)
    contents.set_aside.explain(PROFILES[profile].reasons)
    assert [about(each) for each in contents.set_aside if each.reason == reason] == [expected]


def test_rows_of_olist_that_are_set_aside_name_their_order(few: Path) -> None:
    found = read_by(PROFILES["olist"])(few).set_aside
    named = {each.reason: (each.column, each.value) for each in found if not each.sentence}
    assert named == {
        "repeated_order": ("order_id", "o1"),
        "no_order": ("order_id", "o404"),
        "payment": ("", ""),
    }


def test_every_reason_of_a_profile_names_a_column_or_says_why_not() -> None:
    known = {reason for _, reason in WHILE_READING} | NO_COLUMN.keys()
    known |= {"repeated_order", "no_order"}
    assert {reason for each in PROFILES.values() for reason in each.reasons} == known


def test_every_refusal_of_what_begins_a_document_names_a_field(kernel: Kernel) -> None:
    for command in BEGINNINGS:
        route = kernel.registry.routes[command]
        assert route.refusals.keys() - route.fields.keys() <= NOT_IN_HISTORY.keys(), command
        for field in route.fields.values():
            assert field == "occurred_at" or hasattr(command, field), (command, field)


SHOP = profile_from(
    ColumnMapping(
        columns={
            "number": "Order",
            "at": "Date",
            "customer_id": "Customer",
            "customer_name": "Name",
            "country": "Land",
            "sku": "Article",
            "quantity": "Pieces",
            "unit_price": "Price",
        },
        fixed={"currency": "EUR"},
    ),
    "shop",
)
HEADING = "Order,Date,Customer,Name,Land,Article,Pieces,Price"


def refused(kernel: Kernel, profile: Profile, path: Path) -> dict[str, About]:
    """Reason -> what is said of its only row, by the dry run and twice by the import."""
    rehearsed = rehearse_file(kernel, profile, path, quiet)
    imported = [import_file(kernel, profile, path, quiet) for _ in range(2)]
    first, *others = [
        {row.reason: about(row) for row in each.set_aside} for each in (rehearsed, *imported)
    ]
    assert others == [first, first]
    return first


def test_a_number_that_is_taken_and_a_person_erased_are_named(
    kernel: Kernel, tmp_path: Path
) -> None:
    line = OrderLine(sku="MUG", quantity=1, unit_price=Decimal(1))
    run(
        kernel,
        PlaceOrder(order_id="1", country="France", currency="EUR", lines=(line,)),
        RegisterCustomer(customer_id="C9", name="Ana Lima", country="France"),
        EraseCustomer(customer_id="C9", reason="Asked for it in writing."),
    )
    rows = (
        "#1,2026-03-01,,,France,MUG,2,1.50",
        "2,2026-03-01,C9,Ana Lima,France,MUG,2,1.50",
        "3,2026-03-01,C1,,,MUG,2,1.50",
    )
    assert refused(kernel, SHOP, written(tmp_path / "shop.csv", HEADING, *rows)) == {
        "order_exists": (2, "Order", "#1"),
        "person_erased": (3, "Customer", "C9"),
        "country_needed": (4, "Land", ""),
    }


def test_the_country_is_missed_in_the_column_that_it_is_read_from(
    kernel: Kernel, tmp_path: Path
) -> None:
    columns = {"number": "Order", "at": "Date", "customer_id": "Customer", "sku": "Article"}
    columns |= {"quantity": "Pieces", "unit_price": "Price"}
    path = written(tmp_path / "shop.csv", HEADING, "3,2026-03-01,C1,,,MUG,2,1.50")
    for name, country in {"ship_country": "Land", "": "country"}.items():
        given = columns | ({name: "Land"} if name else {})
        mapping = ColumnMapping(columns=given, fixed={"currency": "EUR"})
        assert refused(kernel, profile_from(mapping, "shop"), path) == {
            "country_needed": (2, country, "")
        }


def test_a_credit_note_that_is_refused_names_its_number_or_its_time(
    kernel: Kernel, tmp_path: Path
) -> None:
    line = CreditedLine(sku="MUG", quantity=1, unit_price=Decimal(1))
    note = RecordCreditNote(
        credit_note_id="C536380", country="France", currency="GBP", reason="Chipped", lines=(line,)
    )
    run(kernel, note)
    rows = (
        "C536379,MUG,mug,-1,2061-03-01 09:30,1.50,,France",
        "C536380,MUG,mug,-1,2026-03-01 09:30,1.50,,France",
    )
    assert refused(kernel, PROFILES["online-retail"], invoices(*rows)(tmp_path)) == {
        "in_the_future": (2, "InvoiceDate", "2061-03-01 09:30"),
        "credit_note_exists": (3, "InvoiceNo", "C536380"),
    }


def test_a_document_with_other_content_names_its_number(kernel: Kernel, tmp_path: Path) -> None:
    reason = "already_here_with_other_content"
    import_file(kernel, SHOP, written(tmp_path / "1.csv", HEADING, ROW), quiet)
    other = written(tmp_path / "2.csv", HEADING, ROW.replace("1.50", "1.60"))
    assert refused(kernel, SHOP, other) == {reason: (2, "Order", "7")}
    profile, path = PROFILES["bpi2020"], traces("declaration 1")(tmp_path)
    import_file(kernel, profile, path, quiet)
    path.write_bytes(path.read_bytes().replace(b'"5"', b'"6"'))
    assert refused(kernel, profile, path) == {reason: (3, "Trace", "declaration 1")}


def test_a_console_that_does_not_answer_is_about_no_column(kernel: Kernel, tmp_path: Path) -> None:
    path = written(tmp_path / "1.csv", HEADING, ROW)
    contents = SHOP.read(path, Format())
    [document] = contents.documents
    [row] = not_taken(kernel, contents, document, Unavailable("The database does not answer."))
    assert (row.reason, about(row)) == ("unavailable", (2, "", ""))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("line", "one"),
        ("at", "soon"),
        ("quantity", "many"),
        ("sku", ""),
        ("adjustments", "["),
        ("moments", "{}"),
        ("payments", "[1]"),
        ("approved_at", "soon"),
        ("shipped_at", "soon"),
        ("shipped_quantity", "few"),
        ("ship_city", "x" * 5_000),
        ("unit_price", "free"),
    ],
)
def test_a_value_in_the_consoles_own_table_names_its_column(
    tmp_path: Path, column: str, value: str
) -> None:
    rows = [
        dict.fromkeys(canonical_csv.HEADER, "")
        | {"document": "order", "number": "7", "line": str(line), "at": "2026-01-02 10:00"}
        | {"country": "France", "currency": "EUR", "ship_country": "France", "ship_line1": "x"}
        | {"ship_city": "x", "sku": f"MUG-{line}", "quantity": "1", "unit_price": "1.50"}
        | {"shipped_at": "2026-01-03 10:00"}
        for line in (1, 2)
    ]
    rows[0][column] = value
    if column == "at":  # the same in all rows of a document
        rows[1][column] = value
    path = tmp_path / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, canonical_csv.HEADER)
        writer.writeheader()
        writer.writerows(rows)
    broken, other = read_by(PROFILES["countersign"])(path).set_aside
    assert about(broken) == (2, column, value)
    assert "same document" in other.sentence


@pytest.mark.parametrize("bad", ["x" * 5_000, "a\x07b"], ids=["too long", "a control character"])
def test_a_value_that_no_command_takes_names_its_column(tmp_path: Path, bad: str) -> None:
    columns = {name: f"The {name}" for name in FIELDS if name not in MADE_OF_SEVERAL}
    meanings = {"paid": "paid"}
    reader = read_by(profile_from(ColumnMapping(columns=columns, meanings=meanings), "shop"))
    for name, column in columns.items():
        path = tmp_path / f"{name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns.values())
            writer.writerow((FULL | {name: bad}).get(each, "") for each in columns)
        for each in reader(path).set_aside:
            assert (each.column, each.value) == (column, bad), (name, each.sentence)
