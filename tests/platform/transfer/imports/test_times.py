"""Times that cannot be are flagged; an hour that clocks repeat follows the order of the rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.desk.read_models import order_flags
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import PlaceOrder, RecordCreditNote
from cqrs_app.platform.transfer.imports.clock import LocalClock
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.importer import Imported, import_file
from cqrs_app.platform.transfer.imports.lifecycle import LIFE_COMMANDS
from cqrs_app.platform.transfer.imports.lines import LineFile
from cqrs_app.services import services_of

BERLIN = ZoneInfo("Europe/Berlin")
HEADER = ("number", "at", "quantity", "sent")
FILE = LineFile(
    header=HEADER,
    columns={
        "number": "number",
        "at": "at",
        "country": lambda row: "Germany",
        "currency": lambda row: "EUR",
        "sku": lambda row: "S1",
        "quantity": "quantity",
        "unit_price": lambda row: "2.00",
    },
    moments={"shipped": "sent"},
    zone=BERLIN,
    is_credit_note=lambda line: line.quantity < 0,
)
PROFILE = Profile(
    name="times",
    read=FILE.read,
    commands=(RegisterCustomer, AddProduct, PlaceOrder, RecordCreditNote, *LIFE_COMMANDS),
)


def imported(console: Flask, folder: Path, *rows: str) -> Imported:
    path = folder / "orders.csv"
    path.write_text("\n".join((",".join(HEADER), *rows)) + "\n")
    return import_file(services_of(console).kernel, PROFILE, path, lambda done, total: None)


def flags(console: Flask) -> dict[str, str]:
    """Task and code -> sentence."""
    with services_of(console).kernel.engines.query.connect() as connection:
        rows = connection.execute(select(order_flags)).all()
    return {f"{row.task}.{row.code}": row.sentence for row in rows}


def placed_at(console: Flask, order_id: str) -> datetime:
    first, *_ = services_of(console).kernel.store.events_of(f"order-{order_id}")
    return first.occurred_at


def test_a_time_years_ahead_is_taken_and_flagged(console: Flask, tmp_path: Path) -> None:
    report = imported(console, tmp_path, "1,2061-03-01 09:30,1,").report
    assert (report.orders, report.flags_by_code) == (1, {"PlaceOrder.in_the_future": 1})
    assert flags(console)["PlaceOrder.in_the_future"] == (
        "The time given for it, 1 Mar 2061 at 08:30 UTC, is in the future."
    )


def test_clocks_that_differ_by_hours_raise_no_flag(console: Flask, tmp_path: Path) -> None:
    soon = datetime.now(BERLIN) + timedelta(hours=20)
    report = imported(console, tmp_path, f"1,{soon:%Y-%m-%d %H:%M},1,").report
    assert (report.orders, report.flags_by_code) == (1, {})


def test_what_was_shipped_before_it_was_placed_is_flagged(console: Flask, tmp_path: Path) -> None:
    row = "1,2026-03-02 09:30,1,2026-03-01 09:30"
    report = imported(console, tmp_path, row).report
    assert report.flags_by_code == {"ShipOrder.before_placed": 1}
    assert report.orders_by_status == {"shipped": 1}
    assert flags(console)["ShipOrder.before_placed"] == (
        "The time given for it, 1 Mar 2026 at 08:30 UTC, is before the order was placed, on "
        "2 Mar 2026 at 08:30 UTC."
    )


def test_an_hour_that_does_not_exist_is_flagged(console: Flask, tmp_path: Path) -> None:
    rows = ("1,2026-03-29 02:30,1,", "2,2026-03-28 09:00,1,2026-03-29 02:15")
    report = imported(console, tmp_path, *rows).report
    codes = {name for name in report.flags_by_code if name.endswith("no_such_hour")}
    assert codes == {"PlaceOrder.no_such_hour", "ShipOrder.no_such_hour"}
    assert flags(console)["PlaceOrder.no_such_hour"] == (
        "The time in the file, 2026-03-29 02:30, does not exist in Europe/Berlin: the clocks went "
        "forward. It was taken as 2026-03-29 01:30 UTC."
    )
    assert placed_at(console, "1") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_hour_that_is_repeated_follows_the_order_of_the_rows(
    console: Flask, tmp_path: Path
) -> None:
    times = ("01:50", "02:10", "02:50", "02:10", "02:50", "03:10")
    rows = (f"{number},2026-10-25 {at},1," for number, at in enumerate(times))
    assert imported(console, tmp_path, *rows).report.flags_by_code == {}
    found = [placed_at(console, str(number)) for number in range(len(times))]
    midnight = datetime(2026, 10, 25, tzinfo=UTC)
    assert [int((at - midnight).total_seconds() // 60) for at in found] == [
        -10, 10, 50, 70, 110, 130,
    ]  # fmt: skip


def test_a_file_with_the_newest_first_repeats_the_hour_backwards() -> None:
    clock = LocalClock(BERLIN)
    times = ("04:00", "03:10", "02:50", "02:10", "02:50", "02:10", "01:50")
    found = [clock.read(f"2026-10-25 {each}").at for each in times]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(times)


def test_a_time_with_its_zone_is_never_doubted() -> None:
    clock = LocalClock(BERLIN)
    assert clock.read("2026-10-25T02:30:00+01:00").at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert clock.read("2026-03-29T02:30:00Z").doubts == ()


def test_a_credit_note_of_the_future_is_set_aside(console: Flask, tmp_path: Path) -> None:
    rows = ("1,2061-03-01 09:30,-1,", "2,2026-03-29 02:30,-1,")
    report = imported(console, tmp_path, *rows).report
    assert (report.credit_notes, report.set_aside_by_reason) == (1, {"in_the_future": 1})


@pytest.mark.parametrize("text", ["0001-01-01 00:00", "9999-12-31 23:59", "2026-13-01", "", "now"])
def test_what_is_no_usable_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        LocalClock(BERLIN).read(text)
