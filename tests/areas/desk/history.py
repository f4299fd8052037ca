"""A history of orders, and the read models that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, Table, create_engine

from cqrs_app.areas.desk import DESK
from cqrs_app.areas.desk.search import create_search
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.orders import ORDERS
from cqrs_app.kernel import Area, testing
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store.tables import digests, read_tables
from tests.read_stores import write_rows

AREAS = (ORDERS, DESK, Area(name="fulfilment", events=[FulfilmentMoved]))
REGISTRY = Registry(AREAS)
PROJECTIONS: tuple[Projection, ...] = tuple(DESK.projections)
TABLES: list[Table] = [table for projection in PROJECTIONS for table in projection.tables]
START = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


class History(testing.History):
    """A history that begins at START."""

    def __init__(self) -> None:
        super().__init__(REGISTRY, START)

    def move(self, order_id: str, stage: str, sentence: str = "", at: datetime = START) -> None:
        """Fulfilment takes the order to this stage."""
        moved = FulfilmentMoved(
            order_id=order_id, stage=stage, sentence=sentence, late=False, within=None
        )
        self.record(f"fulfilment-{order_id}", [moved], at, "fulfilment")


def read_store() -> Engine:
    """An empty SQLite read store in memory."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        make_tables(connection)
    return engine


def make_tables(connection: Connection) -> None:
    read_tables.create_all(connection, tables=[*TABLES, digests])
    create_search(connection)


def fold(recorded: Iterable[Recorded]) -> Rows:
    """The rows of every projection, in memory."""
    return testing.fold(PROJECTIONS, recorded)


def project(
    connection: Connection, recorded: Sequence[Recorded], sizes: Iterable[int] = (500,)
) -> None:
    """Write the rows of every projection to the database, batch by batch; the last size repeats."""
    write_rows(connection, PROJECTIONS, recorded, sizes)
