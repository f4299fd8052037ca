"""Importing marketplace orders with their life cycles: exact figures, and flags for oddities."""

from __future__ import annotations

import csv
import json
import tarfile
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from cqrs_app.areas.desk.read_models import order_lines, orders
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import command_log, events
from cqrs_app.platform.transfer.imports.importer import Imported, import_file
from cqrs_app.platform.transfer.imports.profiles.olist import FREIGHT, NO_TIME, PROFILE
from cqrs_app.platform.transfer.imports.rehearsal import Rehearsal, rehearse_file
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.services import services_of
from tests.platform.transfer.imports.reading import limited, read_by
from tests.platform.transfer.imports.test_online_retail import PROJECT

DATA = PROJECT.parent / "shared" / "data" / "olist.tar.xz"
needs_data = pytest.mark.skipif(
    not DATA.is_file(), reason="the real orders are not beside this checkout; our own few are"
)

read = read_by(PROFILE)


def order(
    number: int, status: str, approved: str = "", shipped: str = "", delivered: str = ""
) -> tuple[str, ...]:
    """A row of orders.csv; moments as day and hour of January 2017."""
    moments = (f"2017-01-{each}:00:00" if each else "" for each in (approved, shipped, delivered))
    return (f"o{number}", f"c{number}", status, "2017-01-01 08:00:00", *moments, "")


ORDERS = [
    order(1, "delivered", "01 09", "02 10", "05 11"),
    order(2, "shipped", approved="03 09", shipped="02 10"),
    order(3, "canceled", "01 09", "02 10", "05 11"),
    order(4, "unavailable", "01 09"),
    # Delivered without a time, and never handed to a carrier.
    order(5, "delivered", "01 09"),
    # There is no such customer.
    order(6, "created"),
    # A second time.
    order(1, "created"),
]
ITEMS = [
    ("o1", "1", "p1", "s", "", "10.5", "2.25"),
    ("o2", "1", "p1", "s", "", "7", "0"),
    ("o1", "2", "p1", "s", "", "10.5", "2.25"),
    ("o1", "3", "p2", "s", "", "0.99", "1"),
    ("o3", "1", "p2", "s", "", "3", "1"),
    ("o5", "1", "p2", "s", "", "4", "1"),
    ("o404", "1", "p2", "s", "", "4", "1"),
]
CUSTOMERS = [(f"c{n}", f"u{min(n, 4)}", "04109", "sao paulo", "SP") for n in range(1, 6)]
PRODUCTS = [("p1", "cama_mesa_banho", "", "", "", "", "", "", ""), ("p2",) + ("",) * 8]
PAYMENTS = [("o1", "1", "credit_card", "1", "27.49")]

HEADERS = {
    "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
    "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date",
    "order_items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,"
    "freight_value",
    "order_payments": "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,"
    "customer_state",
    "products": "product_id,product_category_name,product_name_lenght,product_description_lenght,"
    "product_photos_qty,product_weight_g,product_length_cm,product_height_cm,product_width_cm",
}
FILES: Mapping[str, list[tuple[str, ...]]] = {
    "orders": ORDERS,
    "order_items": ITEMS,
    "order_payments": PAYMENTS,
    "customers": CUSTOMERS,
    "products": PRODUCTS,
}


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A folder with a handful of orders of our own."""
    place = tmp_path / "few"
    place.mkdir()
    for name, rows in FILES.items():
        with (place / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEADERS[name].split(","), *rows])
    return place


def quiet(done: int, everything: int) -> None:
    """A progress callback that does nothing."""


def run(kernel: Kernel, path: Path) -> Imported:
    return import_file(kernel, PROFILE, path, quiet)


def rehearse(kernel: Kernel, path: Path) -> Rehearsal:
    return rehearse_file(kernel, PROFILE, path, quiet).figures


def test_a_few_orders_of_every_kind(kernel: Kernel, few: Path) -> None:
    report = run(kernel, few).report
    assert report.adds_up
    assert (report.rows, report.taken) == (15, 11)
    assert report.set_aside_by_reason == {
        "payment": 1,
        "no_order": 1,
        "repeated_order": 1,
        "unreadable": 1,
    }
    assert report.orders_by_status == {
        "delivered": 2,
        "shipped": 1,
        "cancelled": 1,
        "rejected": 1,
    }
    assert (report.customers, report.goods, report.charges, report.gross) == (
        4,
        Decimal("35.99"),
        Decimal("7.50"),
        Decimal("43.49"),
    )
    assert report.flags_by_code == {
        "ApproveOrder.already_shipped": 1,
        "CancelOrder.already_delivered": 1,
        "DeliverOrder.not_shipped": 1,
        "PlaceOrder.no_lines": 1,
        "RejectOrder.already_approved": 1,
        "ShipOrder.not_approved": 1,
    }
    assert (report.flags, report.flagged_orders) == (6, 4)


@pytest.mark.parametrize("name", ["orders", "order_items"])
def test_a_row_that_cannot_be_read_takes_its_order_with_it(few: Path, name: str) -> None:
    before = read(few)
    with (few / f"{name}.csv").open("a") as file:
        file.write("o1,oops\n")
    after = read(few)
    assert {each.key for each in before.documents} - {each.key for each in after.documents} == {
        "o1"
    }
    reasons = [Counter(row.reason for row in each.set_aside) for each in (before, after)]
    # Its row, its three items, its repetition and the new one.
    assert reasons[1]["unreadable"] - reasons[0]["unreadable"] == 6
    assert reasons[1]["repeated_order"] == 0


def test_units_of_one_article_at_one_price_are_one_line_and_freight_is_another(
    kernel: Kernel, few: Path
) -> None:
    run(kernel, few)
    with kernel.engines.query.connect() as connection:
        found = connection.execute(
            select(order_lines).where(order_lines.c.order_id == "o1").order_by("line_no")
        ).all()
        address = connection.execute(select(orders).where(orders.c.order_id == "o1")).one()
    assert [(row.sku, row.description, row.quantity, row.unit_price) for row in found] == [
        ("p1", "cama mesa banho", 2, Decimal("10.5")),
        ("p2", "", 1, Decimal("0.99")),
        (FREIGHT, "Freight", 1, Decimal("5.5")),
    ]
    assert (address.customer_id, address.ship_postal_code) == ("u1", "04109")
    assert address.ship_city == "sao paulo, SP"


def test_every_step_has_its_own_time_and_unknown_ends_the_latest_known(
    kernel: Kernel, few: Path
) -> None:
    run(kernel, few)
    told = {
        order_id: [
            f"{event.type} {event.occurred_at:%m-%d %H}"
            for event in kernel.store.events_of(f"order-{order_id}")
            if event.type != "OrderFlagged"
        ]
        for order_id in ("o2", "o3", "o5")
    }
    assert told == {
        "o2": ["OrderPlaced 01-01 08", "OrderShipped 01-02 10", "OrderApproved 01-03 09"],
        "o3": [
            "OrderPlaced 01-01 08",
            "OrderApproved 01-01 09",
            "OrderShipped 01-02 10",
            "OrderDelivered 01-05 11",
            "OrderCancelled 01-05 11",
        ],
        "o5": [
            "OrderPlaced 01-01 08",
            "OrderApproved 01-01 09",
            "OrderDelivered 01-01 09",
            "OrderNoteAdded 01-01 09",
        ],
    }
    assert NO_TIME in kernel.store.events_of("order-o5")[-1].payload


def archive(path: Path, members: Mapping[str, bytes], mode: str = "w:xz") -> Path:
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, BytesIO(content))
    return path


def contents_of(few: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in few.iterdir()}


@pytest.mark.parametrize("name", ["{}.csv", "./{}.csv", "../../{}.csv", "a/olist_{}_dataset.csv"])
def test_an_archive_is_read_like_a_folder_and_unpacks_nowhere_else(
    few: Path, tmp_path: Path, name: str
) -> None:
    members = {
        name.format(file.removesuffix(".csv")): content
        for file, content in contents_of(few).items()
    }
    packed = archive(tmp_path / "few.tar.xz", members)
    before = {*tmp_path.rglob("*")}
    assert [each.steps for each in read(packed).documents] == [
        each.steps for each in read(few).documents
    ]
    assert {*tmp_path.rglob("*")} == before


def test_bad_archives_and_folders_get_one_sentence(
    kernel: Kernel, few: Path, tmp_path: Path
) -> None:
    files = contents_of(few)
    whole = archive(tmp_path / "whole.tar.xz", files)
    cut = tmp_path / "cut.tar.xz"
    cut.write_bytes(whole.read_bytes()[:300])
    text = tmp_path / "text.tar.xz"
    text.write_text("no archive")
    part = archive(tmp_path / "part.tar.xz", {"orders.csv": files["orders.csv"]})
    linked = tmp_path / "linked.tar"
    with tarfile.open(linked, "w") as file:
        link = tarfile.TarInfo("orders.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    wrong = archive(tmp_path / "wrong.tar.xz", files | {"customers.csv": b"a,b\n"})
    (few / "orders.csv").unlink()
    for path in (cut, text, part, linked, wrong, few, tmp_path / "nowhere"):
        with pytest.raises(BadFile, match=r"^[^\n]*Nothing was imported\.$"):
            run(kernel, path)
    assert kernel.store.head() == 0


def test_an_archive_counts_as_a_whole_also_what_nobody_wants(few: Path, tmp_path: Path) -> None:
    files = contents_of(few)
    whole = archive(tmp_path / "whole.tar.xz", {"zeros.bin": bytes(2_000_000)} | files)
    assert whole.stat().st_size < 10_000
    with limited(unpacked_bytes=3_000_000, ratio=1_000):
        assert read(whole).rows == read(few).rows
    with (
        limited(unpacked_bytes=1_000_000),
        pytest.raises(BadFile, match=r"^whole\.tar\.xz is larger than 1 MiB when unpacked"),
    ):
        read(whole)


def written(kernel: Kernel) -> tuple[int, int]:
    with kernel.engines.write.connect() as connection:
        logged = select(func.count()).select_from(command_log)
        return kernel.store.head(), connection.execute(logged).scalar_one()


def test_a_dry_run_says_what_the_import_then_does_and_writes_nothing(
    kernel: Kernel, few: Path
) -> None:
    said = rehearse(kernel, few)
    assert written(kernel) == (0, 0)
    assert (said.documents, said.new, said.already_there, said.commands) == (5, 5, 0, 26)
    report = run(kernel, few).report
    assert written(kernel)[1] == said.commands
    assert (said.rows, said.taken, said.set_aside) == (report.rows, report.taken, report.set_aside)
    assert said.set_aside_by_reason == report.set_aside_by_reason
    assert (said.flags, said.flagged_orders) == (report.flags, report.flagged_orders)
    assert dict(said.flags_by_code) == report.flags_by_code

    before = written(kernel)
    again = rehearse(kernel, few)
    assert written(kernel) == before
    assert (again.new, again.already_there, again.commands, again.flags) == (0, 5, 0, 0)


def test_what_a_later_file_knows_more_is_added(kernel: Kernel, few: Path) -> None:
    whole = (few / "orders.csv").read_text()
    (few / "orders.csv").write_text(whole.replace("2017-01-05 11:00:00", ""))
    first = run(kernel, few).report
    assert first.flags_by_code["CancelOrder.already_shipped"] == 1
    (few / "orders.csv").write_text(whole)
    said = rehearse(kernel, few)
    # The delivery of o3 is new to the console; of o1, told without a time before, the time is
    # another one, so that step counts as changed and stays as it was.
    assert (said.new, said.extended) == (0, 1)


def test_the_command_rehearses_and_imports_an_archive(
    console: Flask, few: Path, tmp_path: Path
) -> None:
    packed, out = archive(tmp_path / "few.tar.xz", contents_of(few)), tmp_path / "out.json"
    kernel: Kernel = services_of(console).kernel
    runner = console.test_cli_runner()
    arguments = ["import", str(packed), "--profile", "olist", "--report", str(out)]
    rehearsed = runner.invoke(args=[*arguments, "--dry-run"])
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "This was a dry run: nothing was changed." in rehearsed.output
    assert json.loads(out.read_text())["dry_run"] is True
    assert written(kernel) == (0, 0)
    imports = services_of(console).settings.data_dir / "imports"
    assert [each.name for each in imports.iterdir() if "payments" in each.name] == [
        "few-order_payments-dry-run-set-aside.csv"
    ]
    imported = runner.invoke(args=arguments)
    assert imported.exit_code == 0, imported.output
    assert json.loads(out.read_text())["orders"] == 5
    payments = imports / "few-order_payments-set-aside.csv"
    assert payments.read_text().splitlines()[1] == (
        "2,payment,,,Payments are not imported.,o1,1,credit_card,1,27.49"
    )


@needs_data
@pytest.mark.timeout(900)
def test_the_real_orders_come_to_their_exact_figures(kernel: Kernel, kind: str) -> None:
    # How it is rehearsed and repeated does not depend on the database.
    said = rehearse(kernel, DATA) if kind == "sqlite" else None
    assert written(kernel) == (0, 0)
    with tarfile.open(DATA) as file:
        found = file.extractfile("truth.json")
        assert found is not None
        truth = json.load(found)
    report = run(kernel, DATA).report
    assert report.adds_up
    assert report.rows == truth["orders"] + truth["items"] + truth["payments"]
    assert report.taken == truth["orders"] + truth["items"]
    assert report.set_aside_by_reason == {
        "payment": truth["payments"],
        "no_order": 0,
        "repeated_order": 0,
    }
    assert (report.orders, report.customers) == (truth["orders"], truth["customers_unique"])
    assert report.goods == Decimal(truth["goods_brl"])
    assert report.charges == Decimal(truth["freight_brl"])
    status = truth["by_status"]
    assert report.orders_by_status == {
        "placed": status["created"],
        "approved": status["approved"] + status["processing"] + status["invoiced"],
        "shipped": status["shipped"],
        "delivered": status["delivered"],
        "cancelled": status["canceled"],
        "rejected": status["unavailable"],
    }
    flags = report.flags_by_code
    assert flags["PlaceOrder.no_lines"] == truth["orders_without_items"]
    assert flags["ShipOrder.not_approved"] == truth["shipped_before_approved"]
    assert flags["CancelOrder.already_delivered"] == truth["canceled_after_delivery"]
    after_handover = flags["CancelOrder.already_delivered"] + flags["CancelOrder.already_shipped"]
    assert after_handover == truth["canceled_after_handover"]
    assert report.flags == sum(flags.values())
    with kernel.engines.write.connect() as connection:
        counted = select(events.c.type, func.count()).group_by(events.c.type)
        happened: Counter[str] = Counter(
            {each.type: each[1] for each in connection.execute(counted)}
        )
    assert happened["OrderApproved"] == truth["approved"]
    assert happened["OrderShipped"] == truth["handed_to_carrier"]
    # Two more are delivered by their status only, without a time.
    assert happened["OrderDelivered"] == truth["delivered_time"] + happened["OrderNoteAdded"]
    assert happened["OrderFlagged"] == report.flags

    if said is not None:
        assert said.flags == report.flags
        assert dict(said.flags_by_code) == flags
        head = kernel.store.head()
        again = run(kernel, DATA).report
        assert kernel.store.head() == head
        assert (again.flags_by_code, again.gross) == (flags, report.gross)
