"""A tiny shop for the kernel's tests: a counter that may not go below zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, select

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import Method, handles
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command, Event, Query, command, event, query
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area

# Not part of the product: its migrations must not include this table.
test_tables = MetaData()

counters = Table(
    "test_counters",
    test_tables,
    Column("counter_id", String(60), primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("applied_version", Integer, nullable=False),
)


@command(label="Add", permission="counters.change")
class Add(Command):
    counter_id: Annotated[str, Meta(min_length=1, max_length=40)]
    amount: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


@command(label="Take", permission="counters.change", minds_version=True)
class Take(Command):
    counter_id: Annotated[str, Meta(min_length=1, max_length=40)]
    amount: Annotated[int, Meta(ge=1)] = 1
    twice: bool = False


@command(label="Look", permission="counters.change")
class Touch(Command):
    counter_id: str


@event()
class Added(Event):
    counter_id: str
    amount: int


@event(schema=2)
class Taken(Event):
    counter_id: str
    amount: int
    why: str


NOT_ENOUGH = Refusal("not_enough", "Fewer are left.")


@dataclass
class Counter(Aggregate):
    category: ClassVar[str] = "counter"
    identity: ClassVar[str] = "counter_id"

    value: int = 0
    padding: str = ""

    @handles(Add)
    def add(self, command: Add) -> Iterator[Event]:
        yield Added(counter_id=command.counter_id, amount=command.amount)

    @handles(Take, refusals=[NOT_ENOUGH])
    def take(self, command: Take) -> Iterator[Event]:
        for _ in range(2 if command.twice else 1):
            if command.amount > self.value:
                raise NOT_ENOUGH(f"Only {self.value} are left.")
            yield Taken(counter_id=command.counter_id, amount=command.amount, why="asked")

    @handles(Touch)
    def touch(self, command: Touch) -> Iterator[Event]:
        return iter(())

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case Added(amount=amount):
                self.value += amount
            case Taken(amount=amount):
                self.value -= amount


class Poison(Exception):
    """Raised by the projection for a counter whose name contains it, while `cured` is off."""


class CountersProjection(Projection):
    name: ClassVar[str] = "counters"
    tables: ClassVar[tuple[Table, ...]] = (counters,)
    cured = False

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, tuple[str, ...]]]:
        yield counters, (recorded.event.counter_id,)  # type: ignore[attr-defined]

    def added(self, event: Added, recorded: Recorded, rows: Rows) -> None:
        self._change(event.counter_id, event.amount, recorded, rows)

    def taken(self, event: Taken, recorded: Recorded, rows: Rows) -> None:
        self._change(event.counter_id, -event.amount, recorded, rows)

    def _change(self, counter_id: str, by: int, recorded: Recorded, rows: Rows) -> None:
        if counter_id.startswith("poison") and recorded.version == 2 and not self.cured:
            raise Poison("this cannot be applied")
        row = rows.get(counters, counter_id) or {"value": 0}
        rows.put(
            counters,
            counter_id=counter_id,
            value=row["value"] + by,
            applied_version=recorded.version,
        )


@dataclass(frozen=True)
class CounterView:
    counter_id: str
    value: int
    applied_version: int


@query(label="Counter", permission="counters.view", reads=("counters",), cached=True)
class GetCounter(Query):
    counter_id: str


def get_counter(question: GetCounter, connection: Connection) -> CounterView | None:
    found = select(counters).where(counters.c.counter_id == question.counter_id)
    row = connection.execute(found).first()
    return CounterView(*row) if row else None


def fold_counter(question: GetCounter, rows: Rows) -> CounterView | None:
    row = rows.get(counters, question.counter_id)
    return CounterView(**row) if row else None


def shop(counter: type[Counter] = Counter) -> Area:
    """A new area with its own projection."""
    return Area(
        name="shop",
        aggregates=[counter],
        events=[Added, Taken],
        upcasters={("Taken", 1): lambda payload: payload | {"why": "not known"}},
        projections=[CountersProjection()],
        answers={GetCounter: projected(get_counter, aggregate=Counter, strong=fold_counter)},
    )


def shop_where(add: Method) -> Area:
    """The same, with another method for Add."""
    return shop(type("Counter", (Counter,), {"add": handles(Add)(add)}))
