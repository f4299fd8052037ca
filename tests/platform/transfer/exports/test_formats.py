"""The formats of an export beside plain CSV: for Excel, and for analysis."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

import pytest
from flask import Flask
from msgspec import Meta

from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.platform.transfer.exports.cells import guarded, unguarded
from cqrs_app.platform.transfer.exports.formats import FORMATS
from cqrs_app.services import services_of

parquet = pytest.importorskip("pyarrow.parquet", reason="requirements-parquet.txt is not installed")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    total: Annotated[Decimal, Meta(title="Total")]
    at: datetime
    day: date | None
    count: int
    open: bool
    tags: tuple[str, ...]


ROWS = (
    Row(
        "=1+1",
        Decimal("1234.5000"),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
        None,
        3,
        open=True,
        tags=("a", "b"),
    ),
    Row("Ada", Decimal("-0.5"), datetime(2026, 3, 3, tzinfo=UTC), date(2026, 3, 3), 0, False, ()),
)


def written(name: str, locale: str) -> bytes:
    return b"".join(FORMATS[name].write(hints_of(Row), [ROWS], locale))


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("de_DE", '\'=1+1;1234,5000;2026-03-02 09:00:00;;3;true;"[""a"",""b""]"'),
        ("en_GB", '\'=1+1,1234.5000,2026-03-02 09:00:00,,3,true,"[""a"",""b""]"'),
    ],
)
def test_csv_for_excel_has_a_mark_and_the_separator_of_the_locale(locale: str, line: str) -> None:
    content = written("csv-excel", locale)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").splitlines()[1] == line


def test_parquet_keeps_the_types_of_the_columns() -> None:
    table = parquet.read_table(io.BytesIO(written("parquet", "en_GB")))
    assert {each.name: str(each.type) for each in table.schema} == {
        "name": "string",
        "total": "decimal128(38, 12)",
        "at": "timestamp[us, tz=UTC]",
        "day": "date32[day]",
        "count": "int64",
        "open": "bool",
        "tags": "string",
    }
    assert table.to_pylist()[0] == {
        "name": "=1+1",
        "total": Decimal("1234.5"),
        "at": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "day": None,
        "count": 3,
        "open": True,
        "tags": '["a","b"]',
    }
    assert table.num_rows == len(ROWS)


def test_an_empty_list_is_a_table_without_rows() -> None:
    content = b"".join(FORMATS["parquet"].write(hints_of(Row), [()]))
    assert parquet.read_table(io.BytesIO(content)).num_rows == 0


def test_the_event_log_is_exported_whole(console: Flask, tmp_path: object) -> None:
    services_of(console).accounts.create("mia", "viewer", "nine grey geese on a lake")
    out = f"{tmp_path}/events.parquet"
    arguments = ["export", "events", "--format", "parquet", "--out", out]
    result = console.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    table = parquet.read_table(out)
    assert table.column_names[:4] == ["position", "id", "stream", "version"]
    positions = table.column("position").to_pylist()
    assert positions
    assert positions == sorted(positions)


@pytest.mark.parametrize("text", ["=1+1", "'=1", "\u200b=1", "a;=1", "\t-2", "'' @x"])
def test_a_guard_is_taken_off_again(text: str) -> None:
    assert guarded(text) != text
    assert unguarded(guarded(text)) == text
