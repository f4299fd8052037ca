"""Rows of a batch: what is written is read back unchanged, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
)

from cqrs_app.kernel.projections.bulk import bulk_of
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from tests.kernel.conftest import engine_on
from tests.services.stores import Databases

THINGS = Table(
    "things",
    MetaData(),
    Column("day", Date, primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("amount", Amount),
    Column("at", UtcDateTime),
    Column("over", Boolean, nullable=False),
    Column("text", Text),
)
DAY = date(2026, 3, 1)
NAMES = ("plain", "", "it's", 'a "b" \\c', "%s {x}", "é ☃ \U0001f600", "line\nbreak", "NULL", "12")


@pytest.fixture
def engine(backend: Databases) -> Iterator[Engine]:
    engine = engine_on(backend.read_url)
    THINGS.create(engine)
    yield engine
    engine.dispose()


def thing(name: str, **others: Any) -> dict[str, Any]:
    row = {"day": DAY, "name": name, "number": 1, "amount": Decimal("-12.3456"), "over": True}
    return row | {"at": datetime(2026, 3, 1, 12, 0, 0, 5, UTC), "text": name} | others


def read(engine: Engine, *names: str) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        rows = Rows(connection)
        rows.preload((THINGS, (DAY, name, 1)) for name in names)
        return rows.all(THINGS)


def test_rows_come_back_as_they_were_written(engine: Engine) -> None:
    written = [thing(name) for name in NAMES]
    written.append(thing("nothing", amount=None, at=None, text=None, over=False))
    with engine.begin() as connection:
        bulk_of(THINGS, connection).write(connection, written)
    found = read(engine, *NAMES, "nothing", "nobody")
    assert found == sorted(written, key=lambda row: row["name"])


def test_a_moment_of_another_zone_comes_back_as_the_same_moment_in_utc(engine: Engine) -> None:
    there = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with engine.begin() as connection:
        bulk_of(THINGS, connection).write(connection, [thing("a", at=there)])
    (row,) = read(engine, "a")
    assert row["at"] == there
    assert row["at"].tzinfo is UTC


def test_a_batch_is_looked_up_and_written_in_one_statement_each(engine: Engine) -> None:
    for value in ("old", "new"):
        statements: list[str] = []
        with engine.begin() as connection:
            event.listen(
                connection,
                "before_cursor_execute",
                lambda *call: statements.append(call[2]),  # noqa: B023
            )
            rows = Rows(connection)
            rows.preload((THINGS, (DAY, f"n{number}", 1)) for number in range(2_000))
            for number in range(2_000):
                rows.put(THINGS, **thing(f"n{number}", text=value))
            rows.flush()
        of_rows = [each.split()[0] for each in statements if "things" in each]
        of_digest = [each.split()[0] for each in statements if "digests" in each]
        assert of_rows == of_digest == ["SELECT", "INSERT"]
    assert {row["text"] for row in read(engine, "n0", "n1999")} == {"new"}


def test_a_value_without_a_column_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(LookupError, match="things"):
        bulk_of(THINGS, connection).write(connection, [thing("a", colour="red")])


def test_a_table_with_bytes_is_refused_where_they_would_be_sent_as_text(
    engine: Engine,
) -> None:
    blobs = Table(
        "blobs", MetaData(), Column("id", Integer, primary_key=True), Column("it", LargeBinary)
    )
    blobs.create(engine)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            with pytest.raises(TypeError, match="bytes"):
                bulk_of(blobs, connection)
        else:
            bulk_of(blobs, connection).write(connection, [{"id": 1, "it": b"\x00\xff"}])
            ((_, it),) = bulk_of(blobs, connection).stored(connection, [(1,)])
            assert it == b"\x00\xff"
