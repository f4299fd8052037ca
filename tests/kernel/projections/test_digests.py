"""Digests of tables: kept with every change, and unequal to those of any other rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    update,
)

from cqrs_app.kernel.projections.digests import (
    Digest,
    Kept,
    add_to_kept,
    digest_of,
    forget,
    kept,
    scanned,
    snapshot_of,
)
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from cqrs_app.kernel.store.tables import digests
from tests.kernel.conftest import engine_on
from tests.kernel.shop import shop
from tests.services.stores import Databases

KEY = b"of the tests"
THINGS = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("name", String(40), nullable=False),
    Column("other", String(40)),
    Column("amount", Amount, nullable=False),
    Column("over", Boolean, nullable=False),
    Column("day", Date),
    Column("at", UtcDateTime),
)


@pytest.fixture
def engine(backend: Databases) -> Iterator[Engine]:
    engine = engine_on(backend.read_url)
    THINGS.create(engine)
    put(engine, *range(10))
    yield engine
    engine.dispose()


def put(engine: Engine, *numbers: int, **others: Any) -> None:
    with engine.begin() as connection:
        rows = Rows(connection, KEY)
        for number in numbers:
            at = datetime(2026, 3, 1, 12, number, tzinfo=UTC)
            row = {"name": f"n{number}", "other": "é", "amount": Decimal("1.5"), "over": False}
            rows.put(THINGS, number=number, **(row | {"day": at.date(), "at": at} | others))
        rows.flush()


def both(engine: Engine) -> tuple[Kept, Digest]:
    """The digest that is kept, and that of the rows that are there."""
    with snapshot_of(engine) as connection:
        return kept(connection, [THINGS])[THINGS], scanned(connection, THINGS, KEY)


def test_the_digest_of_rows_follows_every_change_that_a_projection_makes(engine: Engine) -> None:
    put(engine, 3, 12, name="put again, and new")
    put(engine, 3, at=None, day=None, other=None, over=True)
    with engine.begin() as connection:
        rows = Rows(connection, KEY)
        rows.change(THINGS, 4)["name"] = "changed"
        rows.add(THINGS, (5,), amount=Decimal("0.0001"))
        rows.flush()
        rows.change(THINGS, 4)["name"] = "changed again after the flush"
        rows.where(THINGS, other="é")[0]["other"] = "e"
        rows.flush()
    held, there = both(engine)
    assert held == Kept(there, complete=True)
    assert there.rows == 11


@pytest.mark.parametrize(
    "change",
    [
        update(THINGS).where(THINGS.c.number == 1).values(name="N1"),
        update(THINGS).where(THINGS.c.number == 1).values(other=None),
        update(THINGS).where(THINGS.c.number == 1).values(amount=Decimal("1.5001")),
        update(THINGS).where(THINGS.c.number == 1).values(over=True),
        update(THINGS).where(THINGS.c.number == 1).values(at=datetime(2026, 3, 2, tzinfo=UTC)),
        update(THINGS).where(THINGS.c.number == 1).values(number=100),
        update(THINGS).where(THINGS.c.number == 1).values(name="é", other="n1"),
        update(THINGS).where(THINGS.c.number < 2).values(name="n1"),
        delete(THINGS).where(THINGS.c.number == 1),
        insert(THINGS).values(number=10, name="", amount=Decimal(0), over=False),
    ],
    ids=lambda change: str(change).partition("WHERE")[0].strip()[:40],
)
def test_any_change_by_another_hand_shows_in_the_digest(engine: Engine, change: Any) -> None:
    with engine.begin() as connection:
        connection.execute(change)
    held, there = both(engine)
    assert held.digest != there


def test_cells_swapped_between_two_rows_do_not_cancel_out(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, name in ((1, "n2"), (2, "n1")):
            changed = update(THINGS).where(THINGS.c.number == number).values(name=name)
            connection.execute(changed)
    held, there = both(engine)
    assert held.digest.rows == there.rows
    assert held.digest.total != there.total


def test_two_identical_rows_count_twice() -> None:
    row = (1, "a", None)
    once, twice = digest_of(KEY, [row]), digest_of(KEY, [row, row])
    assert twice == once + once != Digest(rows=2)
    assert twice - once == once


def test_a_digest_cannot_be_made_without_the_key() -> None:
    row = (1, "a", None)
    assert digest_of(KEY, [row]) != digest_of(b"another", [row])


def test_a_table_that_is_emptied_begins_again(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(THINGS))
        forget(connection, [THINGS])
    put(engine, 1, 2)
    held, there = both(engine)
    assert held == Kept(there, complete=True)


def test_a_digest_of_changes_alone_becomes_complete_with_what_it_lacks(engine: Engine) -> None:
    """Rows of a release that kept no digests are counted once, while the projection goes on."""
    with engine.begin() as connection:
        connection.execute(update(digests).values(rows=0, total="0" * 32, complete=False))
    put(engine, 1, 11, name="since")
    held, there = both(engine)
    assert (held.complete, held.digest.rows) == (False, 1)
    put(engine, 12)
    with engine.begin() as connection:
        add_to_kept(connection, {THINGS: there - held.digest}, complete=True)
    assert (both(engine)[0]) == Kept(both(engine)[1], complete=True)


def test_two_consoles_of_one_process_have_a_key_each() -> None:
    area = shop()
    first, second = (Registry([area]).projections["counters"] for _ in range(2))
    first.digest_key_of = lambda: b"of the first"
    assert (second.digest_key, area.projections[0].digest_key) == (b"", b"")
    assert first.handlers["Added"].__self__ is first  # type: ignore[attr-defined]
