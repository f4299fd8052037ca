"""Read models that are the state of an aggregate, and the answers made from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, get_type_hints

import pytest
from msgspec import Meta
from sqlalchemy import Engine, MetaData, create_engine

from cqrs_app.kernel import (
    Aggregate,
    Area,
    Command,
    Decision,
    Event,
    ListQuery,
    Page,
    Permission,
    Query,
    Refusal,
    Role,
    Sort,
    StateProjection,
    command,
    event,
    handles,
    listed,
    query,
    refuse_unless,
    state_as,
    table_of,
)
from cqrs_app.kernel.commands.aggregate import restore
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.projections import state
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store.tables import digests
from cqrs_app.kernel.testing import History, Scenarios, fold

LOOK = Permission("lamps.look", Role.VIEWER)
GONE = Refusal("lamp_gone", "The lamp is broken.")
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
Name = Annotated[str, Meta(max_length=20)]


class Light(StrEnum):
    ON = "on"
    OFF = "off"


@command(label="Switch", permission=LOOK)
class Switch(Command):
    lamp_id: Name
    light: Light
    watts: int | None = None


@event()
class Switched(Event):
    lamp_id: str
    light: Light
    watts: int | None


@event()
class Broke(Event):
    lamp_id: str


@dataclass
class Lamp(Aggregate):
    category: ClassVar[str] = "lamp"
    identity: ClassVar[str] = "lamp_id"

    light: Light = Light.OFF
    watts: int | None = None
    broken: bool = False
    switched: datetime | None = None

    @handles(Switch, when=refuse_unless(lambda lamp: not lamp.broken, GONE))
    def switch(self, command: Switch) -> Decision:
        yield Switched.of(command)

    def evolve(self, event: Event, at: datetime) -> None:
        self.take(event)
        self.switched, self.broken = at, isinstance(event, Broke)


@dataclass(frozen=True, slots=True)
class LampRow:
    lamp_id: Name
    light: Light
    watts: int | None
    broken: bool
    switched: datetime | None
    applied_version: int


@pytest.fixture(scope="module")
def tables() -> Iterator[MetaData]:
    """The tables of these tests alone."""
    made = MetaData()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "read_tables", made)
        yield made


@pytest.fixture(scope="module")
def projection(tables: MetaData) -> StateProjection:
    table = table_of("lamps", LampRow, key="lamp_id", indexed=["light"])

    class Lamps(StateProjection):
        name = "lamps"
        aggregate = Lamp
        follows = (Switched, Broke)

    Lamps.tables = (table,)
    return Lamps()


@pytest.fixture(scope="module")
def history(projection: StateProjection) -> History:
    area = Area(name="lamps", aggregates=[Lamp], events=[Switched, Broke], projections=[projection])
    made = History(Registry([area]), AT)
    made.run(Switch(lamp_id="A", light=Light.ON, watts=40))
    made.run(Switch(lamp_id="B", light=Light.ON))
    made.record("lamp-A", [Broke(lamp_id="A")])
    return made


def test_a_rule_refuses_in_the_words_of_its_refusal() -> None:
    area = Area(name="lamps", aggregates=[Lamp], events=[Switched, Broke])
    given = Scenarios(area, at=AT).given(Broke(lamp_id="A"))
    refused = given.when(Switch(lamp_id="A", light=Light.ON)).refused("lamp_gone")
    assert refused.sentence == "The lamp is broken. Nothing was changed."


def test_a_row_is_the_state_after_each_event(projection: Any, history: History) -> None:
    [table] = projection.tables
    first, second = fold([projection], history.recorded).all(table)
    assert first == {
        "lamp_id": "A",
        "light": Light.ON,
        "watts": 40,
        "broken": True,
        "switched": AT,
        "applied_version": 2,
    }
    assert (second["lamp_id"], second["watts"], second["broken"]) == ("B", None, False)


def test_a_table_that_lacks_a_field_of_the_state_is_refused(tables: MetaData) -> None:
    @dataclass(frozen=True)
    class Short:
        lamp_id: Name
        applied_version: int

    class Lacking(StateProjection):
        name = "lacking"
        aggregate = Lamp
        follows = (Switched,)

    Lacking.tables = (table_of("short_lamps", Short, key="lamp_id"),)
    with pytest.raises(TypeError, match="short_lamps has no column for broken, light, switched"):
        Lacking().bind([])


def test_the_columns_are_those_of_the_types(projection: Any) -> None:
    [table] = projection.tables
    columns = {each.name: (str(each.type), each.nullable) for each in table.columns}
    assert columns == {
        "lamp_id": ("VARCHAR(20)", False),
        "light": ("VARCHAR(40)", False),
        "watts": ("INTEGER", True),
        "broken": ("BOOLEAN", False),
        "switched": ("DATETIME", True),
        "applied_version": ("INTEGER", False),
    }
    assert [each.name for each in table.primary_key] == ["lamp_id"]
    assert [[c.name for c in each.columns] for each in table.indexes] == [["light"]]


@pytest.mark.parametrize("kind", [str, tuple[str, ...], dict[str, int], float])
def test_a_field_that_no_column_fits_is_named(tables: MetaData, kind: Any) -> None:
    made = dataclass(type("Odd", (), {"__annotations__": {"odd": kind}}))
    with pytest.raises(TypeError, match="has no column, or it is a text without max_length"):
        table_of(f"odd_{kind}", made, key="odd")


def test_amounts_and_days_have_columns(tables: MetaData) -> None:
    made = dataclass(type("More", (), {"__annotations__": {"amount": Decimal, "day": date}}))
    kinds = [str(each.type) for each in table_of("more", made, key="day").columns]
    assert kinds == ["BIGINT", "DATE"]


@pytest.fixture(scope="module")
def store(tables: MetaData, projection: Any, history: History) -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        tables.create_all(connection, tables=[*projection.tables])
        digests.create(connection)
        rows = Rows(connection, b"key")
        projection.apply(history.recorded, rows)
        rows.flush()
    yield engine
    engine.dispose()


def list_query(table: Any) -> type[Query]:
    @query(label="Lamps", permission=LOOK, reads=("lamps",))
    class ListLamps(ListQuery):
        sorts: ClassVar = {"lamp_id": Sort((table.c.lamp_id,), str)}
        sort: ClassVar[str] = "lamp_id"
        descending: ClassVar[bool] = False
        q: str = ""
        light: Light | None = None
        broken: bool | None = None

    return ListLamps


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["A", "B"]),
        ({"light": Light.ON, "broken": False}, ["B"]),
        ({"light": Light.OFF}, []),
        ({"q": "b"}, ["B"]),
        ({"q": "%"}, []),
        ({"limit": 1}, ["A"]),
    ],
)
def test_a_list_is_answered_from_the_table(
    projection: Any, store: Engine, given: dict[str, Any], found: list[str]
) -> None:
    [table] = projection.tables
    cls: Any = list_query(table)
    answer = listed(table, LampRow, search=["lamp_id"])
    assert get_type_hints(answer.handler)["return"] == Page[LampRow]
    with store.connect() as connection:
        page = answer.handler(cls(**given), connection)
    assert [each.lamp_id for each in page.rows] == found
    assert all(type(each) is LampRow and type(each.light) is Light for each in page.rows)


def test_the_fields_of_a_page_are_named_after_the_filters(projection: Any) -> None:
    [table] = projection.tables
    names = ["q", "light", "broken", "after", "before", "limit"]
    assert list(hints_of(list_query(table))) == names


def test_the_state_is_a_row_of_the_list(history: History) -> None:
    @query(label="Lamp", permission=LOOK)
    class GetLamp(Query):
        lamp_id: Name

    shown, lamp = state_as(Lamp, LampRow).handler, restore(Lamp, None, history.of("lamp-A"))
    assert shown(GetLamp(lamp_id="A"), lamp, 2) == LampRow("A", Light.ON, 40, True, AT, 2)
    assert shown(GetLamp(lamp_id="Z"), Lamp(), 0) is None
