"""Lists as workbooks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask

from cqrs_app.platform.transfer.exports import workbook
from cqrs_app.platform.transfer.exports.workbook import write_xlsx
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.transfer.exports.conftest import fill


@dataclass(frozen=True)
class Row:
    name: Any
    total: Any


def read(*rows: Row) -> Any:
    content = b"".join(write_xlsx({"name": str, "total": Decimal}, [rows]))
    return openpyxl.load_workbook(io.BytesIO(content))


def test_a_list_comes_as_a_workbook(console: Flask) -> None:
    fill(console, 3, customer_name="=cmd|' /C calc'!A0")
    answer = client_in(console, "admin").get("/exports/ListOrders.xlsx")
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    sheet = openpyxl.load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet is not None
    header, *rows = sheet.iter_rows(values_only=True)
    first = dict(zip(header, rows[0], strict=True))
    assert len(rows) == 3
    assert (first["total"], first["customer_name"]) == (3.1255, "=cmd|' /C calc'!A0")


def test_numbers_and_times_are_cells_of_their_kind_and_no_text_is_a_formula() -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    sheet = read(Row("=1+1", Decimal("12.50")), Row(at, Decimal("999999999999.9999"))).active
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert [cell.data_type for cell in cells] == ["s", "n", "d", "s"]
    assert cells[0].value == "=1+1"
    assert cells[2].value == at.replace(tzinfo=None)
    assert cells[3].value == "999999999999.9999"


def test_more_rows_than_a_sheet_has_go_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    book = read(*(Row(str(number), number) for number in range(5)))
    found = [[row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]
    assert found == [["name", "0", "1"], ["name", "2", "3"], ["name", "4"]]
