"""The console's own files: what was exported is imported as the same orders, at the same times."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, delete, select
from sqlalchemy.exc import OperationalError

from cqrs_app.areas.desk.read_models import (
    credit_notes,
    customer_accounts,
    order_activity,
    order_days,
    order_flags,
    order_lines,
    order_texts,
    order_timeline,
    orders,
)
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import (
    BillingAddress,
    OrderAdjustment,
    ReturnedLine,
    ShippedLine,
    ShippingAddress,
)
from cqrs_app.areas.orders.words import AdjustmentKind, CancelReason, HoldReason, ReturnReason
from cqrs_app.areas.payments import commands as pay
from cqrs_app.areas.payments import gateway_commands as gateway
from cqrs_app.areas.payments.read_models import ledger_entries, payment_timeline, payments
from cqrs_app.areas.payments.words import MANUAL, DisputeOutcome
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.cli.canonical import canonical
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store import tables
from cqrs_app.platform.demo.shop import tasks
from cqrs_app.platform.transfer.imports.canonical import document_of, exported
from cqrs_app.platform.transfer.imports.canonical_csv import HEADER, NEWER, plain_of_rows, rows_of
from cqrs_app.platform.transfer.imports.formats import Format
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.profiles import countersign, olist, online_retail
from cqrs_app.platform.transfer.imports.profiles.countersign import LONGEST_DOCUMENT, PROFILE
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.services import services_of
from tests.areas.orders.given import line, place
from tests.console import MakeConsole
from tests.platform.transfer.imports.reading import read_by
from tests.platform.transfer.imports.test_olist import few, quiet
from tests.platform.transfer.imports.test_online_retail import DATA, ROWS, needs_data, write

__all__ = ["few"]

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SOMEONE = Actor("ana", ROLES["admin"] | {HISTORY})


@pytest.fixture
def console(make_console: MakeConsole) -> Flask:
    """Without fulfilment, which would have a say in what is shipped."""
    return make_console(fulfilment=False)


OWN = {"row_id", "updated_at", "recorded_at", "applied_position", "position", "operator"}
OWN |= {"command_id", "imported", "imported_value"}
"""Columns that say when, by whom and in which way the console learned of something."""


def read_models(kernel: Kernel) -> dict[str, list[dict[str, Any]]]:
    """Everything that the read models show of the shop, without internal columns."""
    shown: dict[str, list[dict[str, Any]]] = {}
    every: tuple[Table, ...] = (
        orders,
        order_lines,
        order_texts,
        order_days,
        order_activity,
        order_timeline,
        order_flags,
        customer_accounts,
        credit_notes,
    )
    with kernel.engines.read.connect() as connection:
        for table in every:
            kept = [column for column in table.columns if column.name not in OWN]
            rows = [dict(row) for row in connection.execute(select(*kept)).mappings()]
            rows = [row for row in rows if row.get("orders", 1) or row.get("credit_notes", 0)]
            # A payment through a gateway comes back as one that was recorded: see below.
            rows = [row for row in rows if not row.get("stream", "").startswith("payment-")]
            shown[table.name] = sorted(rows, key=repr)
    return shown


def catch_up(kernel: Kernel) -> None:
    kernel.runner.advance_all(kernel.registry.projections)


def empty(kernel: Kernel) -> None:
    """Empty both stores."""
    for engine, metadata in (
        (kernel.engines.write, tables.write_tables),
        (kernel.engines.read, tables.read_tables),
    ):
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
    kernel.runner.prepare()


def run(kernel: Kernel, *commands: Command, history: bool = False) -> None:
    for command in commands:
        at = NOW if history else None
        kernel.commands.execute(command, Context(actor=SOMEONE, channel="page", occurred_at=at))
    catch_up(kernel)


def demo_shop(kernel: Kernel, tmp_path: Path, few: Path) -> None:
    items = [
        (task.command, Context(actor=SOMEONE, channel="demo", occurred_at=task.at))
        for task in tasks(120, NOW)
    ]
    assert all(outcome.receipt for outcome in kernel.commands.execute_batch(items))
    catch_up(kernel)


def invoices(kernel: Kernel, tmp_path: Path, few: Path) -> None:
    path = write(tmp_path / "own.csv", ROWS)
    import_file(kernel, online_retail.PROFILE, path, quiet)


def real_day(kernel: Kernel, tmp_path: Path, few: Path) -> None:
    import_file(kernel, online_retail.PROFILE, DATA / "2010-12-01.csv", quiet)


def whole_lives(kernel: Kernel, tmp_path: Path, few: Path) -> None:
    import_file(kernel, olist.PROFILE, few, quiet)


def odd_orders(kernel: Kernel, tmp_path: Path, few: Path) -> None:
    """Whatever a table with one row per line tells least well."""
    home = ShippingAddress(name='"O\'Neill", & Söhne', line1=" 1 ", city="Łódź", country="PL")
    run(
        kernel,
        place("1", line(what=" =1+1 "), line(), line(price="0.0001"), customer_name="Zoë, A."),
        do.HoldOrder(order_id="1", reason=HoldReason.STOCK_CHECK, note="one\r\ntwo\n"),
        do.ReleaseOrder(order_id="1"),
        do.HoldOrder(order_id="1", reason=HoldReason.OTHER),
        do.ReleaseOrder(order_id="1"),
        do.ApproveOrder(order_id="1"),
        do.ShipOrder(order_id="1", lines=(ShippedLine(line_no=2, quantity=2),), tracking="T1"),
        do.ShipOrder(order_id="1", lines=(ShippedLine(line_no=2, quantity=1),), tracking="T2"),
        place("2"),
        do.AddOrderNote(order_id="2", note='Rang them | twice; "fine"'),
        do.CancelOrder(order_id="2", reason=CancelReason.FRAUD, note="x"),
        place("3"),
        do.RejectOrder(order_id="3", reason="No, thanks"),
        place("4", customer_id="", shipping_address=home),
        do.ApproveOrder(order_id="4"),
        do.ShipOrder(order_id="4", carrier="DHL"),
        do.DeliverOrder(order_id="4"),
        place(
            "6",
            replace(line(), discount=Decimal("0.30")),
            adjustments=(
                OrderAdjustment(
                    kind=AdjustmentKind.SHIPPING, label="GLS, by air", amount=Decimal(5)
                ),
                OrderAdjustment(kind=AdjustmentKind.TAX, amount=Decimal("1.99")),
            ),
            billing_address=BillingAddress(name="Söhne", city="Łódź", country="PL"),
        ),
        do.ChangeBillingAddress(order_id="6"),
    )
    back = (ReturnedLine(line_no=1, quantity=1),)
    run(
        kernel,
        do.RequestReturn(order_id="4", lines=back, reason=ReturnReason.DAMAGED),
        place("7", exchange_for="4"),
    )
    nothing = do.PlaceOrder(order_id="5", country="France", currency="EUR", lines=())
    run(kernel, nothing, do.ShipOrder(order_id="5", tracking="T5"), history=True)


SHOPS: dict[str, Any] = {
    "demo": demo_shop,
    "invoices": invoices,
    "real day": pytest.param(real_day, marks=needs_data),
    "whole lives": whole_lives,
    "odd orders": odd_orders,
}


def content(path: Path) -> bytes:
    """Of a workbook, its sheet: the archive around it has the time."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
@pytest.mark.parametrize("fill", SHOPS.values(), ids=SHOPS.keys())
def test_an_export_imported_into_an_empty_store_gives_the_same_read_models(
    console: Flask,
    tmp_path: Path,
    few: Path,
    fill: Callable[[Kernel, Path, Path], None],
    kind: str,
) -> None:
    kernel: Kernel = services_of(console).kernel
    fill(kernel, tmp_path, few)
    before = read_models(kernel)
    assert before["orders"]
    first, second = tmp_path / f"first.{kind}", tmp_path / f"second.{kind}"
    runner = console.test_cli_runner()
    assert runner.invoke(canonical, ["--out", str(first), "--format", kind]).exit_code == 0
    empty(kernel)
    assert read_models(kernel)["orders"] == []
    imported = import_file(kernel, PROFILE, first, quiet)
    assert list(imported.set_aside) == []
    assert imported.report.refused_by_code == {}
    assert imported.report.adds_up
    assert read_models(kernel) == before
    assert runner.invoke(canonical, ["--out", str(second), "--format", kind]).exit_code == 0
    assert content(second) == content(first)
    head = kernel.store.head()
    import_file(kernel, PROFILE, first, quiet)
    assert kernel.store.head() == head


def paid_orders(kernel: Kernel) -> None:
    """Money that came in without a gateway, and through one."""
    run(kernel, place("1"), place("2"), place("3"), do.ApproveOrder(order_id="1"))
    for number, order_id in (("P1", "1"), ("P2", "1"), ("P3", "2")):
        recorded = pay.RecordPayment(
            payment_id=number,
            order_id=order_id,
            amount=Decimal(4),
            currency="GBP",
            method="bank transfer",
            reference=f"=R-{number}",
            note="By\nmail" if number == "P1" else "",
        )
        run(kernel, recorded)
    run(
        kernel,
        pay.RefundPayment(payment_id="P1", amount=Decimal(1), reason="Damaged"),
        gateway.RecordDecline(payment_id="P1", request_no=1, code="closed", sentence="No account."),
        pay.RefundPayment(payment_id="P1", amount=Decimal(1), reason="Damaged"),
        gateway.RecordRefund(payment_id="P1", request_no=2, reference="R-9"),
        pay.RefundPayment(payment_id="P2", reason="Still to be sent"),
        gateway.RecordDispute(
            payment_id="P3", reference="D1", amount=Decimal(2), sentence="Not mine."
        ),
        gateway.ResolveDispute(payment_id="P3", reference="D1", outcome=DisputeOutcome.LOST),
        do.CancelOrder(order_id="2", reason=CancelReason.OTHER),
    )


def money(kernel: Kernel) -> dict[str, list[dict[str, Any]]]:
    """What the read models show of payments."""
    shown: dict[str, list[dict[str, Any]]] = {}
    with kernel.engines.read.connect() as connection:
        for table in (payments, payment_timeline, ledger_entries):
            kept = [column for column in table.columns if column.name not in OWN]
            rows = [dict(row) for row in connection.execute(select(*kept)).mappings()]
            shown[table.name] = sorted(rows, key=repr)
    return shown


def test_payments_and_refunds_come_back_as_they_were(console: Flask, tmp_path: Path) -> None:
    kernel: Kernel = services_of(console).kernel
    paid_orders(kernel)
    before, shown = money(kernel), read_models(kernel)
    runner = console.test_cli_runner()
    for ending in ("csv", "jsonl", "xlsx"):
        first, second = tmp_path / f"first.{ending}", tmp_path / f"second.{ending}"
        written = runner.invoke(canonical, ["--out", str(first), "--format", ending])
        assert written.exit_code == 0, written.output
        empty(kernel)
        imported = import_file(kernel, PROFILE, first, quiet)
        assert (list(imported.set_aside), imported.report.refused_by_code) == ([], {})
        assert money(kernel) == before
        assert read_models(kernel) == shown
        runner.invoke(canonical, ["--out", str(second), "--format", ending])
        assert content(second) == content(first)
        head = kernel.store.head()
        import_file(kernel, PROFILE, first, quiet)
        assert kernel.store.head() == head


def test_what_a_gateway_captured_comes_back_as_recorded(console: Flask, tmp_path: Path) -> None:
    kernel: Kernel = services_of(console).kernel
    amount, reference = {"amount": Decimal(4), "currency": "GBP"}, {"reference": "ch_1"}
    run(
        kernel,
        place("1"),
        place("2"),
        pay.AuthorisePayment(payment_id="P1", order_id="1", method="tok_1", **amount),
        gateway.RecordAuthorisation(payment_id="P1", request_no=1, reference="au_1"),
        pay.CapturePayment(payment_id="P1", amount=Decimal(1)),
        gateway.RecordCapture(payment_id="P1", request_no=2, **reference),
        pay.CapturePayment(payment_id="P1"),
        gateway.RecordCapture(payment_id="P1", request_no=3, reference="ch_2"),
        pay.RefundPayment(payment_id="P1", amount=Decimal(1), reason="Damaged"),
        gateway.RecordRefund(payment_id="P1", request_no=4, reference="re_1"),
        pay.AuthorisePayment(payment_id="P2", order_id="1", method="tok_2", **amount),
        pay.MovePayment(payment_id="P1", order_id="2", reason="The other order"),
    )
    plain = {each["order_id"]: each for each in exported(kernel.store, kernel.registry.codec)}
    assert plain["1"]["payments"] == []
    [payment] = plain["2"]["payments"]
    assert (payment["amount"], payment["method"], payment["reference"]) == (
        *("4.00", "tok_1"),
        "ch_1",
    )
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(map(json.dumps, plain.values())))
    empty(kernel)
    assert import_file(kernel, PROFILE, path, quiet).report.refused_by_code == {}
    [row] = money(kernel)["payments"]
    assert (row["order_id"], row["captured"], row["refunded"], row["gateway"]) == (
        *("2", 4, 1),
        MANUAL,
    )
    # Nothing is asked of a gateway for the past.
    assert row["waiting"] == 0


def test_both_formats_hold_the_same_documents(kernel: Kernel, tmp_path: Path, few: Path) -> None:
    odd_orders(kernel, tmp_path, few)
    for plain in exported(kernel.store, kernel.registry.codec):
        assert document_of(plain_of_rows(rows_of(plain)), ()) == document_of(plain, ())


def test_orders_of_a_live_console_are_not_touched_by_its_own_export(
    kernel: Kernel, tmp_path: Path
) -> None:
    run(kernel, place("1"), do.ApproveOrder(order_id="1"))
    path = tmp_path / "export.jsonl"
    [plain] = exported(kernel.store, kernel.registry.codec)
    path.write_text(json.dumps(plain))
    head = kernel.store.head()
    said = rehearse_file(kernel, PROFILE, path, quiet).figures
    imported = import_file(kernel, PROFILE, path, quiet)
    assert imported.report.set_aside_by_reason["order_exists"] == 1
    assert (said.refused, said.commands) == (1, 0)
    assert said.set_aside_by_reason == imported.report.set_aside_by_reason
    assert kernel.store.head() == head


def test_a_table_made_by_hand_needs_few_columns(kernel: Kernel, tmp_path: Path) -> None:
    common = {"document": "order", "number": "7", "at": "2026-01-02 10:00", "country": "France"}
    common |= {"currency": "EUR", "shipped_at": "2026-01-04", "cancelled_at": "2026-01-05"}
    path = tmp_path / "hand.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for number, sku in ((2, "B"), (1, "A")):
            article = {"line": number, "sku": sku, "quantity": 2, "unit_price": "1.50"}
            writer.writerow(common | article)
    imported = import_file(kernel, PROFILE, path, quiet)
    assert list(imported.set_aside) == []
    assert imported.report.flags_by_code == {
        "CancelOrder.already_shipped": 1,
        "ShipOrder.not_approved": 1,
    }
    [plain] = exported(kernel.store, kernel.registry.codec)
    assert [each["sku"] for each in plain["lines"]] == ["A", "B"]
    assert [(each["what"], each["at"]) for each in plain["moments"]] == [
        ("shipped", "2026-01-04T00:00:00Z"),
        ("cancelled", "2026-01-05T00:00:00Z"),
    ]


ROW = {"document": "order", "number": "7", "at": "2026-01-02 10:00", "country": "France"}
ROW |= {"currency": "EUR", "line": "1", "sku": "A", "quantity": "2", "unit_price": "1.50"}


def table(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    "missing", [NEWER, NEWER[-2:], NEWER[-1:]], ids=["discounts", "exchanges", "payments"]
)
def test_a_table_of_an_earlier_release_lacks_columns_and_is_read(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    path = tmp_path / "earlier.csv"
    earlier = [name for name in HEADER if name not in missing]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, earlier)
        writer.writeheader()
        writer.writerow({name: text for name, text in ROW.items() if name in earlier})
    (document,) = read_by(countersign.PROFILE)(path).documents
    order = document.steps[0].command
    assert isinstance(order, do.PlaceOrder)
    assert (order.lines[0].discount, order.adjustments) == (0, ())


NO_LINE = ROW | {"sku": "", "quantity": "", "unit_price": ""}


@pytest.mark.parametrize(
    "rows",
    [
        [ROW, NO_LINE | {"line": "2"}, ROW | {"line": "3"}],
        [NO_LINE, NO_LINE | {"line": "2"}],
        [ROW | {"sku": ""}],
        [NO_LINE | {"description": "Mug"}],
    ],
    ids=["between others", "nothing but", "quantity alone", "description alone"],
)
def test_a_row_without_an_article_makes_its_order_unreadable(
    tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    contents = read_by(countersign.PROFILE)(
        table(tmp_path / "hand.csv", *rows, ROW | {"number": "8"})
    )
    assert [document.key for document in contents.documents] == ["8"]
    assert [each.reason for each in contents.set_aside] == ["unreadable"] * len(rows)


@pytest.mark.parametrize(
    "broken",
    ["order,7", "order,7" + "," * len(HEADER), "odrer,7" + "," * (len(HEADER) - 2)],
    ids=["short", "long", "no kind"],
)
def test_a_row_that_cannot_be_read_takes_its_whole_document_with_it(
    tmp_path: Path, broken: str
) -> None:
    path = table(tmp_path / "hand.csv", ROW, ROW | {"number": "8"})
    with path.open("a") as file:
        file.write(f"{broken}\norder\n")
    contents = read_by(countersign.PROFILE)(path)
    assert [document.key for document in contents.documents] == ["8"]
    assert sorted((each.row.line, each.reason) for each in contents.set_aside) == [
        (2, "unreadable"),
        (4, "unreadable"),
        (5, "unreadable"),
    ]


def test_an_order_without_lines_is_one_row_with_nothing_of_a_line(tmp_path: Path) -> None:
    contents = read_by(countersign.PROFILE)(table(tmp_path / "hand.csv", NO_LINE))
    assert [document.taken.lines for document in contents.documents] == [0]


GOOD = {
    "document": "order",
    "order_id": "1",
    "at": "2026-01-02T10:00:00Z",
    "country": "France",
    "currency": "EUR",
    "lines": [{"sku": "A", "quantity": 1, "unit_price": "1.50"}],
}
PAID = {
    "at": "2026-01-02T10:00:00Z",
    "payment_id": "P1",
    "amount": "1.50",
    "currency": "EUR",
    "method": "bank transfer",
    "reference": "R1",
}
BAD: dict[str, Any] = {
    "no object": [],
    "no kind": GOOD | {"document": ["order"]},
    "other kind": GOOD | {"document": "invoice"},
    "unknown field": GOOD | {"colour": "red"},
    "no time": GOOD | {"at": 12},
    "year too far": GOOD | {"at": "9999-12-31T23:00:00Z"},
    "year too far back": GOOD | {"moments": [{"what": "approved", "at": "0999-12-31T23:00:00Z"}]},
    "time out of calendar": GOOD | {"at": "0001-01-01T00:00:00+14:00"},
    "no amount": GOOD | {"lines": [{"sku": "A", "quantity": 1, "unit_price": "NaN"}]},
    "payments no list": GOOD | {"payments": {}},
    "payment no object": GOOD | {"payments": [5]},
    "payment unusable": GOOD | {"payments": [PAID | {"amount": "-1"}]},
    "payment twice": GOOD | {"payments": [PAID, PAID]},
    "payment without a time": GOOD | {"payments": [PAID | {"at": None}]},
    "payment with a card": GOOD | {"payments": [PAID | {"reference": "4111 1111 1111 1111"}]},
    "refund unknown": GOOD | {"payments": [PAID | {"moments": [{"what": "approved"}]}]},
    "moments no list": GOOD | {"moments": 5},
    "moment no object": GOOD | {"moments": [5]},
    "moment unknown": GOOD | {"moments": [{"what": ["x"], "at": "2026-01-02T10:00:00Z"}]},
    "moment unusable": GOOD | {"moments": [{"what": "rejected", "at": "2026-01-02T10:00:00Z"}]},
    "credit note with moments": {
        **{name: value for name, value in GOOD.items() if name != "order_id"},
        "document": "credit_note",
        "credit_note_id": "C1",
        "moments": [],
    },
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_an_unusable_document_is_set_aside(tmp_path: Path, bad: Any) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(["", json.dumps(GOOD), json.dumps(bad), "{", "{" * 5_000]) + "\n")
    contents = read_by(countersign.PROFILE)(path)
    assert [document.key for document in contents.documents] == ["1"]
    assert [(each.row.line, each.reason) for each in contents.set_aside] == [
        (3, "unreadable"),
        (4, "unreadable"),
        (5, "unreadable"),
    ]


@pytest.mark.parametrize("year", [999, 9000])
def test_a_time_that_no_page_can_show_is_not_let_in(year: int) -> None:
    with pytest.raises(Invalid, match="occurred_at: Must be in the years 1000 to 8999"):
        Context(actor=SOMEONE, channel="api", occurred_at=datetime(year, 1, 1, tzinfo=UTC))


def test_a_repeated_document_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps(GOOD) + "\n")
    assert [each.reason for each in read_by(countersign.PROFILE)(path).set_aside] == [
        "repeated_document"
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x00", b"a,b\n1,2\n", b'{"x": "' + b"y" * (LONGEST_DOCUMENT + 1)],
    ids=["empty", "binary", "other table", "huge"],
)
def test_a_bad_file_gets_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=r"^[^\n]*Nothing was imported\.$"):
        read_by(countersign.PROFILE)(path)


def test_an_export_that_cannot_be_written_says_so(console: Flask, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "export.csv"
    result = console.test_cli_runner().invoke(canonical, ["--out", str(out)])
    assert result.exit_code == 1
    sentence = f"{out} cannot be written: No such file or directory. {out} was not touched."
    assert sentence in result.output


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_export_that_breaks_off_leaves_the_old_file_and_nothing_else(
    console: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    run(services_of(console).kernel, place("1"), place("2"))

    def broken(*arguments: Any) -> Any:
        yield next(exported(*arguments))
        raise OperationalError("SELECT", None, Exception("the line is dead\nhint: none"))

    monkeypatch.setattr("cqrs_app.interfaces.cli.canonical.exported", broken)
    out, theirs = tmp_path / "all.jsonl", tmp_path / "all.jsonl.part"
    for path in (out, theirs):
        path.write_text("the last good one")
    result = console.test_cli_runner().invoke(canonical, ["--out", str(out), "--format", kind])
    assert result.exit_code == 1
    assert f"did not answer: the line is dead. {out} was not touched. Try again.\n" in result.output
    assert {*tmp_path.glob("*all.jsonl*")} == {out, theirs}
    assert out.read_text() == theirs.read_text() == "the last good one"


def test_an_export_to_the_standard_output_holds_nothing_else(console: Flask) -> None:
    run(services_of(console).kernel, place("1"), place("2"))
    result = console.test_cli_runner().invoke(canonical, ["--out", "-"])
    assert [json.loads(each)["document"] for each in result.stdout.splitlines()] == ["order"] * 2
    assert "2 orders and credit notes" in result.stderr


def test_formulas_are_guarded_in_the_file_and_come_back_as_they_were(
    console: Flask, tmp_path: Path
) -> None:
    kernel: Kernel = services_of(console).kernel
    run(kernel, place("1", line(what="=1+1"), line(what="'+cmd"), line(what="mug;-2")))
    out = tmp_path / "orders.csv"
    result = console.test_cli_runner().invoke(canonical, ["--out", str(out), "--format", "csv"])
    assert result.exit_code == 0
    with out.open(newline="") as file:
        written = [row["description"] for row in csv.DictReader(file)]
    assert written == ["'=1+1", "''+cmd", "mug;'-2"]
    [document] = read_by(PROFILE)(out, Format()).documents
    placed: Any = document.steps[0].command
    assert [each.description for each in placed.lines] == ["=1+1", "'+cmd", "mug;-2"]
