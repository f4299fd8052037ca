"""The floor: the work of one command by hand, without a product around it.

One step ("raw.load") reads a stream's head and writes a command row, an event row and the new head
in one transaction.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from bench import product

STREAMS = 200
PAYLOAD = '{"order_id":"A1","note":"Mind the dog."}'
STATE = '{"status":"placed","left":[6],"total":"12.00"}'

_TABLES = """
CREATE TABLE IF NOT EXISTS heads (
    stream TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS log (
    command_id TEXT PRIMARY KEY, type TEXT NOT NULL, payload TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    id {key}, stream TEXT NOT NULL, version INTEGER NOT NULL,
    type TEXT NOT NULL, payload TEXT NOT NULL, UNIQUE (stream, version)
);
"""


@contextmanager
def step(database: str) -> Iterator[Callable[[], None]]:
    """The step on an empty database of this kind."""
    if database == "postgresql":
        with on_postgres(product.fresh_database()) as step_:
            yield step_
        return
    with (
        tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder,
        on_sqlite(Path(folder) / "raw.sqlite3") as step_,
    ):
        yield step_


@contextmanager
def on_postgres(
    url: str, name: str = "order", streams: int = STREAMS
) -> Iterator[Callable[[], None]]:
    """The step on psycopg, with prepared statements. The streams are called after `name`."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute(_TABLES.format(key="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"))
        connection.commit()
        yield lambda: _step(connection, "%s", f"{name}-{_choose.randrange(streams)}")


@contextmanager
def on_sqlite(path: Path) -> Iterator[Callable[[], None]]:
    """The step on the standard library's driver: WAL, synchronous=FULL, BEGIN IMMEDIATE."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(_TABLES.format(key="INTEGER PRIMARY KEY"))

    def step() -> None:
        connection.execute("BEGIN IMMEDIATE")
        _step(connection, "?", f"order-{_choose.randrange(STREAMS)}")

    try:
        yield step
    finally:
        connection.close()


_numbers = itertools.count()
_choose = random.Random(1)


def _step(connection: psycopg.Connection | sqlite3.Connection, mark: str, stream: str) -> None:
    run = connection.execute
    found = run(f"SELECT version, state FROM heads WHERE stream = {mark}", (stream,)).fetchone()  # noqa: S608
    version = (found[0] if found else 0) + 1
    three = f"({mark}, {mark}, {mark})"
    run(f"INSERT INTO log VALUES {three}", (str(uuid.uuid4()), "AddOrderNote", PAYLOAD))  # noqa: S608
    run(
        f"INSERT INTO events (stream, version, type, payload)"  # noqa: S608
        f" VALUES ({mark}, {mark}, {mark}, {mark})",
        (stream, version, "OrderNoteAdded", PAYLOAD),
    )
    run(
        f"INSERT INTO heads VALUES {three} ON CONFLICT (stream)"  # noqa: S608
        " DO UPDATE SET version = excluded.version, state = excluded.state",
        (stream, version, STATE),
    )
    connection.commit()
