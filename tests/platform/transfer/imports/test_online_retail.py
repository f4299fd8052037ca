"""Importing invoice lines: exact totals, in any order, after repetitions and crashes."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import command_log, events
from cqrs_app.platform.transfer.imports import source
from cqrs_app.platform.transfer.imports.importer import ALREADY_HERE, Imported, import_file
from cqrs_app.platform.transfer.imports.profiles.online_retail import HEADER, PROFILE
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.set_aside import SetAside, SetAsideRows, as_csv
from cqrs_app.platform.transfer.imports.source import BadFile, Limits
from cqrs_app.platform.transfer.imports.text import LONGEST_LINE
from cqrs_app.services import services_of
from cqrs_app.standards.countries import country_name
from tests.platform.transfer.imports.reading import limited
from tests.platform.transfer.imports.reports import assert_reports

PROJECT = Path(__file__).parents[4]
DATA = PROJECT.parent / "shared" / "data" / "online-retail"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real orders are not beside this checkout; figures of our own are"
)

ROWS = [
    ("536365", "85123A", " WHITE HEART ", "6", "2010-12-01 08:26:00", "2.55", "17850.0", "UK"),
    ("536366", "22633", "HAND WARMER", "3", "2010-12-01 08:28:00", "1.85", "", "France"),
    ("536365", "85123a", 'LANTERN, 3" "£"', "2", "2010-12-01 08:27:00", "0.001", "17850.0", "UK"),
    ("536365", "85123A", "WHITE HEART", "6", "2010-12-01 08:26:00", "2.55", "17850.0", "UK"),
    ("536365", "85123A", "WHITE HEART", "1", "2010-12-01 08:26:00", "3.10", "17850.0", "UK"),
    ("C536379", "D", "Discount", "-1", "2010-12-01 09:41:00", "27.50", "14527.0", "UK"),
    ("536414", "22139", "", "56", "2010-12-01 11:52:00", "0", "", "UK"),
    ("536589", "21777", "", "-10", "2010-12-01 16:50:00", "0", "", "UK"),
    ("A563185", "B", "Adjust bad debt", "1", "2010-12-01 17:00:00", "11062.06", "", "UK"),
    ("536590", "X", "no number", "many", "2010-12-01 17:00:00", "1.00", "", "UK"),
]


def write(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def quiet(done: int, everything: int) -> None:
    """A progress callback that does nothing."""


def run(kernel: Kernel, path: Path) -> Imported:
    return import_file(kernel, PROFILE, path, quiet)


def figures(imported: Imported) -> dict[str, Any]:
    report = imported.report.as_json()
    for described in ("seconds", "commands_per_second", "set_aside_examples", "files"):
        del report[described]
    return report


def test_rows_become_orders_credit_notes_and_rows_set_aside(kernel: Kernel, tmp_path: Path) -> None:
    imported = run(kernel, write(tmp_path / "day.csv", ROWS))
    assert figures(imported) == {
        "rows": 10,
        "taken": 6,
        "set_aside": 4,
        "set_aside_by_reason": {
            "write_off": 1,
            "zero_price": 1,
            "adjustment": 1,
            "unreadable": 1,
        },
        "differing_times": 1,
        "refused_by_code": {},
        "orders": 2,
        "orders_by_status": {"placed": 2},
        "credit_notes": 1,
        "customers": 2,
        "customers_with_orders": 1,
        "guest_orders": 1,
        "total": "39.252",
        "currency": "GBP",
        "orders_by_currency": {"GBP": 2},
        "total_by_currency": {"GBP": "39.252"},
        "gross": "39.252",
        "goods": "39.252",
        "charges": "0.000",
        "credited": "-27.500",
        "flags": 0,
        "flagged_orders": 0,
        "flags_by_code": {},
        "registered_customers": 2,
        "products": 4,
        "there_already": {"customers": 0, "products": 0},
        "commands": 9,
    }
    assert imported.report.adds_up
    assert [each.reason for each in imported.set_aside] == [
        "zero_price",
        "write_off",
        "adjustment",
        "unreadable",
    ]


def test_charges_are_counted_apart_from_goods(kernel: Kernel, tmp_path: Path) -> None:
    charges = [
        ("536367", code, "", "2", "2010-12-01 08:34:00", "1.5", "", "UK")
        for code in ("POST", "m", "gift_0001_40", "BANK CHARGES")
    ]
    report = figures(run(kernel, write(tmp_path / "day.csv", [*ROWS, *charges])))
    assert (report["gross"], report["goods"], report["charges"]) == ("51.252", "39.252", "12.000")


def test_a_row_that_cannot_be_read_takes_its_invoice_with_it_and_can_be_mended(
    kernel: Kernel, tmp_path: Path
) -> None:
    path = write(tmp_path / "day.csv", [*ROWS, ("536365", "85123A", "WHITE", "HEART")])
    imported = run(kernel, path)
    assert imported.report.set_aside_by_reason["unreadable"] == 6
    assert (imported.report.orders, imported.report.credit_notes) == (1, 1)
    assert imported.report.adds_up
    write(path, ROWS)
    assert run(kernel, path).report.orders == 2


def test_times_and_lines_are_those_of_the_file(kernel: Kernel, tmp_path: Path) -> None:
    run(kernel, write(tmp_path / "day.csv", ROWS))
    [event] = kernel.store.events_of("order-536365")
    lines = json.loads(event.payload)["lines"]
    assert event.occurred_at.isoformat() == "2010-12-01T08:26:00+00:00"
    assert [(line["sku"], line["quantity"], Decimal(line["unit_price"])) for line in lines] == [
        ("85123A", 6, Decimal("2.55")),
        ("85123a", 2, Decimal("0.001")),
        ("85123A", 6, Decimal("2.55")),
        ("85123A", 1, Decimal("3.10")),
    ]
    assert lines[0]["description"] == "WHITE HEART"
    assert lines[1]["description"] == 'LANTERN, 3" "£"'


def test_a_second_import_changes_nothing(kernel: Kernel, tmp_path: Path) -> None:
    path = write(tmp_path / "day.csv", ROWS)
    first = run(kernel, path)
    head = kernel.store.head()
    assert figures(run(kernel, path)) == figures(first)
    assert kernel.store.head() == head


def test_what_an_earlier_release_imported_with_its_spelling_is_not_imported_again(
    kernel: Kernel, tmp_path: Path
) -> None:
    path = write(tmp_path / "day.csv", ROWS)
    run(kernel, path)
    head = kernel.store.head()
    with kernel.engines.write.begin() as connection:
        old = func.replace(command_log.c.payload, "United Kingdom", "UK")
        connection.execute(update(command_log).values(payload=old))
    imported = run(kernel, path)
    assert kernel.store.head() == head
    assert "already_here_with_other_content" not in imported.report.set_aside_by_reason


def test_an_invoice_that_differs_from_what_was_imported_is_set_aside(
    kernel: Kernel, tmp_path: Path
) -> None:
    run(kernel, write(tmp_path / "day.csv", ROWS))
    changed = write(tmp_path / "changed.csv", ROWS[:1])
    imported = run(kernel, changed)
    assert imported.report.set_aside_by_reason["already_here_with_other_content"] == 1
    assert next(iter(imported.set_aside)).sentence == ALREADY_HERE
    assert (imported.report.rows, imported.report.taken) == (1, 0)


BAD_FILES = {
    "missing": None,
    "empty": b"",
    "wrong header": b"a,b,c\n1,2,3\n",
    "binary": b"\x89PNG\r\n\x1a\n\x00\x00\x00",
    "first UTF-8, then not": ",".join(HEADER).encode()
    + b"\n536365,1,\xc3\xa9,1,2010-12-01,1,1,UK\n536365,1,\xe9,1,2010-12-01,1,1,UK\n",
    "no encoding that is known": ",".join(HEADER).encode()
    + b"\n536365,1,\x81,1,2010-12-01,1,1,UK\n",
    "broken UTF-16": b"\xff\xfe" + ",".join(HEADER).encode("utf-16-le") + b"\n\x00\x00\xd8",
    "huge line": ",".join(HEADER).encode() + b"\n" + b"x" * (LONGEST_LINE + 1),
    "broken archive": b"\xfd7zXZ\x00broken",
    "good rows, then broken": ",".join(HEADER).encode()
    + b"\n536365,A,B,1,2010-12-01 08:00:00,1.00,1,UK\n\x00",
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_gets_one_sentence_and_changes_nothing(
    kernel: Kernel, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadFile, match=r"^[^\n]*Nothing was imported\.$"):
        run(kernel, path)
    assert kernel.store.head() == 0


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_a_file_may_not_unpack_to_more_than_a_machine_holds(
    kernel: Kernel, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = write(tmp_path / "day.csv", ROWS)
    size = path.stat().st_size
    path.write_bytes(pack(path.read_bytes()))
    with (
        limited(unpacked_bytes=size - 1),
        pytest.raises(BadFile, match=r"^day\.csv is larger than .* Nothing was imported\.$"),
    ):
        run(kernel, path)
    assert kernel.store.head() == 0
    with limited(unpacked_bytes=size):
        assert run(kernel, path).report.orders == 2


def test_a_packed_file_may_not_unpack_to_any_multiple_of_itself(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "SMALL", 10_000)
    path = write(tmp_path / "day.csv", ROWS)
    path.write_bytes(gzip.compress(path.read_bytes() + (b"x" * 60_000 + b"\n") * 50))
    assert path.stat().st_size * Limits().ratio < 3_000_000
    with pytest.raises(BadFile, match=r"^day\.csv is larger than .* Nothing was imported\.$"):
        run(kernel, path)
    with limited(ratio=2_000):
        assert run(kernel, path).report.orders == 2


def test_a_file_has_so_many_rows_at_most(kernel: Kernel, tmp_path: Path) -> None:
    path = write(tmp_path / "day.csv", ROWS)
    with (
        limited(rows=len(ROWS) - 1),
        pytest.raises(BadFile, match=r"^day\.csv has more than .* rows\. .* Nothing was imported"),
    ):
        run(kernel, path)
    assert kernel.store.head() == 0
    with limited(rows=len(ROWS)):
        assert run(kernel, path).report.orders == 2


def test_rows_set_aside_beyond_a_size_are_counted() -> None:
    row = source.SourceRow("day.csv", 2, ("x" * 100,))
    rows = SetAsideRows([SetAside(row, "unreadable")] * 50)
    listed = b"".join(as_csv({"day.csv": ("Name",)}, rows, most=1_000))
    lines = listed.decode().splitlines()
    assert len(listed) < 1_300
    assert lines[-1] == f"{50 - (len(lines) - 2)} more rows are not listed here."
    assert len(b"".join(as_csv({"day.csv": ("Name",)}, rows, most=10**6)).splitlines()) == 51


def test_the_command_writes_report_and_rows_set_aside(console: Flask, tmp_path: Path) -> None:
    path, out = write(tmp_path / "day.csv", ROWS), tmp_path / "out.json"
    runner = console.test_cli_runner()
    arguments = ["import", str(path), "--profile", "online-retail", "--report", str(out)]
    result = runner.invoke(args=arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert (report["orders"], report["gross"]) == (2, "39.252")
    aside = services_of(console).settings.data_dir / "imports" / "day-set-aside.csv"
    with aside.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Line"], row["Reason"]) for row in rows] == [
        ("8", "zero_price"),
        ("9", "write_off"),
        ("10", "adjustment"),
        ("11", "unreadable"),
    ]
    result = runner.invoke(
        args=["import", str(tmp_path / "none.csv"), "--profile", "online-retail"]
    )
    assert result.exit_code == 1
    assert "Nothing was imported." in result.output


@needs_data
@pytest.mark.parametrize("name", ["2010-12-01", "2010-12"])
def test_the_real_files_come_to_their_exact_figures(
    kernel: Kernel, name: str, tmp_path: Path
) -> None:
    truth = json.loads((DATA / f"{name}.truth.json").read_text())
    source = next(DATA.glob(f"{name}.csv*"))
    plain = tmp_path / f"{name}.csv"
    with (lzma.open if source.suffix == ".xz" else open)(source, "rb") as file:
        plain.write_bytes(file.read())
    said = rehearse_file(kernel, PROFILE, source, quiet).figures
    assert kernel.store.head() == 0
    imported = run(kernel, plain)
    rules, money = truth["import_rule_events"], truth["money_GBP"]
    report = imported.report
    assert report.adds_up
    assert report.registered_customers == truth["distinct"]["customers"]
    assert (report.registered_customers, report.products) == (
        said.registered_customers,
        said.products,
    )
    assert report.there_already == {"customers": 0, "products": 0}
    assert report.rows == truth["file"]["rows"]
    assert report.set_aside_by_reason == {
        "write_off": rules["set_aside_rows"]["writeoff"],
        "zero_price": rules["set_aside_rows"]["zero_price"],
        "adjustment": rules["set_aside_rows"]["A"],
    }
    assert report.taken == rules["order_lines"] + rules["credit_lines"]
    assert (report.orders, report.credit_notes) == (rules["PlaceOrder"], rules["CreditNotes"])
    assert report.guest_orders == rules["PlaceOrder_guest"]
    assert report.customers == truth["distinct"]["customers"]
    assert report.customers_with_orders == truth["distinct"]["customers_with_a_sale"]
    assert report.gross == Decimal(money["gross_sale_rows"])
    assert report.credited == Decimal(money["cancelled_C_rows"])
    with kernel.engines.query.connect() as connection:
        by_country = Counter(
            dict(
                connection.execute(
                    select(orders.c.country, func.count()).group_by(orders.c.country)
                ).all()
            )
        )
    assert by_country == {country_name(row[0]): row[1] for row in truth["by_country"] if row[1]}
    with plain.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # The truth's product codes are five digits and letters; the gift shop's own goods are DCGS.
    gift_shop = sum(
        int(row["Quantity"]) * Decimal(row["UnitPrice"])
        for row in rows
        if row["StockCode"].startswith("DCGS") and row["InvoiceNo"].isdigit()
    )
    assert report.goods == Decimal(money["gross_sale_rows_product_codes_only"]) + gift_shop
    assert report.charges == report.gross - report.goods > 0
    assert_reports(kernel, truth, rows)


@needs_data
def test_days_in_any_order_and_overlapping_give_the_same_totals(
    kernel: Kernel, tmp_path: Path
) -> None:
    with lzma.open(DATA / "2010-12.csv.xz", "rt", encoding="utf-8", newline="") as file:
        rows = [tuple(row) for row in list(csv.reader(file))[1:]]
    days = sorted({row[4][:10] for row in rows})[:6]
    some = [row for row in rows if row[4][:10] in days]
    for day in reversed(days):
        run(kernel, write(tmp_path / f"{day}.csv", [row for row in some if row[4][:10] == day]))
    head = kernel.store.head()
    whole = run(kernel, write(tmp_path / "all.csv", some))
    assert kernel.store.head() == head
    with kernel.engines.query.connect() as connection:
        total = connection.execute(select(func.sum(orders.c.total))).scalar_one()
    assert whole.report.gross == total
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == head


def test_nothing_of_the_real_data_is_in_the_project() -> None:
    git = shutil.which("git")
    if git is None or not (PROJECT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        [git, "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    assert "online-retail" not in listed
    assert "olist.tar" not in listed
