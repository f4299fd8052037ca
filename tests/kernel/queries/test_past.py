"""Time travel: any version, any time, and the difference between two of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refused
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.queries.past import Past, Until
from cqrs_app.kernel.registry import Area, Registry
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.runtime.past import Change, Difference, StateAt, StateDifference, changes
from tests.kernel.conftest import ASKER
from tests.kernel.shop import Add, Counter, counters

BO = Actor("bo", frozenset({"counters.change", HISTORY}))
ENGINEER = QueryContext(actor=Actor("eva", frozenset({"events.view"})))
NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)
STREAM = "counter-a-b c"


def add(kernel: Kernel, amount: int, hours: float) -> None:
    at = NOON + timedelta(hours=hours)
    context = Context(actor=BO, channel="test", occurred_at=at)
    kernel.commands.execute(Add(counter_id="a-b c", amount=amount), context)


def past_of(kernel: Kernel) -> Past:
    registry = kernel.registry
    return Past(
        registry.aggregates, registry.projections, registry.notation, registry.codec, kernel.store
    )


def value_then(kernel: Kernel, **until: Any) -> int | None:
    row = past_of(kernel).rows("counters", STREAM, Until(**until)).rows.get(counters, "a-b c")
    return row["value"] if row else None


def ask(kernel: Kernel, question: Any) -> Any:
    return kernel.queries.ask(question, ENGINEER).value


@pytest.fixture
def filled(kernel: Kernel) -> Kernel:
    for amount, hours in ((1, 0), (10, 1), (100, 2)):
        add(kernel, amount, hours)
    return kernel


def test_every_version_can_be_seen(filled: Kernel) -> None:
    values = [
        ask(filled, StateAt(stream=STREAM, version=version)).state.get("value")
        for version in range(5)
    ]
    # There is no fifth event: the newest state is returned, with its version.
    assert values == [None, 1, 11, 111, 111]
    now = ask(filled, StateAt(stream=STREAM))
    assert (now.version, now.newest, now.type, now.operator) == (3, 3, "Added", "bo")
    assert now.occurred_at == NOON + timedelta(hours=2)


def test_every_moment_can_be_seen(filled: Kernel) -> None:
    def at(hours: float) -> Any:
        return ask(filled, StateAt(stream=STREAM, at=NOON + timedelta(hours=hours)))

    assert (at(-1).version, at(-1).state) == (0, {})
    assert [at(hours).state["value"] for hours in (0, 0.5, 1, 99)] == [1, 1, 11, 111]


def test_a_moment_ends_before_the_first_event_that_happened_later(filled: Kernel) -> None:
    add(filled, 1_000, 0.5)
    assert ask(filled, StateAt(stream=STREAM, at=NOON + timedelta(hours=1))).version == 2
    assert ask(filled, StateAt(stream=STREAM, at=NOON + timedelta(hours=2))).version == 4


def test_a_difference_names_each_value(filled: Kernel) -> None:
    last: Difference = ask(filled, StateDifference(stream=STREAM))
    assert (last.before.version, last.after.version) == (2, 3)
    assert last.changes == (Change(("value",), 11, 111),)
    since = StateDifference(stream=STREAM, since_version=0, at=NOON + timedelta(hours=1))
    assert ask(filled, since).changes == (
        Change(("value",), None, 11),
        Change(("padding",), None, ""),
    )
    same = StateDifference(stream=STREAM, version=2, since=NOON + timedelta(hours=1))
    assert ask(filled, same).changes == ()


def test_a_long_stream_is_read_in_pieces(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cqrs_app.kernel.queries.past.EVENTS_PER_READ", 3)
    for _ in range(10):
        add(kernel, 1, 0)
    past = past_of(kernel)
    for version in range(1, 11):
        moment = past.moment(STREAM, Until(version=version))
        assert moment is not None
        assert moment.version == version
        assert moment.aggregate == Counter(value=version)


def test_a_projection_is_folded_up_to_a_version_a_position_or_a_time(filled: Kernel) -> None:
    filled.store.place()
    first = filled.store.events_of(STREAM)[0].position or 0
    assert [value_then(filled, version=version) for version in range(5)] == [None, 1, 11, 111, 111]
    assert [value_then(filled, position=first + after) for after in (-1, 0, 1)] == [None, 1, 11]
    assert value_then(filled, at=NOON + timedelta(minutes=90)) == 11
    assert value_then(filled) == 111
    then = past_of(filled).rows("counters", STREAM, Until(version=2))
    assert (then.last and then.last.version, then.newest) == (2, 3)


def test_an_event_without_a_position_comes_after_every_position(filled: Kernel) -> None:
    filled.store.place()
    head = filled.store.head()
    with filled.engines.write.begin() as connection:
        last = update(events).where(events.c.version == 3)
        connection.execute(last.values(position=None))
    assert value_then(filled, position=head) == 11
    assert value_then(filled) == 111


def test_a_damaged_event_is_a_sentence_and_earlier_versions_are_shown(filled: Kernel) -> None:
    with filled.engines.write.begin() as connection:
        connection.execute(update(events).where(events.c.version == 2).values(payload='{"am'))
    assert ask(filled, StateAt(stream=STREAM, version=1)).state["value"] == 1
    with pytest.raises(Refused, match="version 2 of counter-a-b c, is damaged") as refusal:
        ask(filled, StateAt(stream=STREAM))
    assert refusal.value.code == "cannot_be_folded"


def test_what_is_not_there_is_nothing(filled: Kernel) -> None:
    for stream in ("counter-none", "ghost-a", "counter"):
        assert ask(filled, StateAt(stream=stream)) is None
        assert ask(filled, StateDifference(stream=stream)) is None


def test_a_version_and_a_moment_at_once_are_refused() -> None:
    with pytest.raises(Invalid, match="not both"):
        StateAt(stream=STREAM, version=1, at=NOON)
    with pytest.raises(Invalid, match="not both"):
        StateDifference(stream=STREAM, since_version=1, since=NOON)
    with pytest.raises(Invalid, match="with its zone"):
        StateAt(stream=STREAM, at=datetime(2010, 12, 1))  # noqa: DTZ001


def test_states_are_for_those_who_may_see_events(filled: Kernel) -> None:
    with pytest.raises(NotAllowed):
        filled.queries.ask(StateAt(stream=STREAM), ASKER)


def test_an_event_of_a_newer_release_is_a_sentence(filled: Kernel) -> None:
    with filled.engines.write.begin() as connection:
        newer = update(events).where(events.c.version == 2)
        connection.execute(newer.values(type="Multiplied"))
    assert ask(filled, StateAt(stream=STREAM, version=1)).version == 1
    with pytest.raises(Refused) as refusal:
        ask(filled, StateAt(stream=STREAM))
    assert refusal.value.code == "cannot_be_folded"
    assert "Multiplied" in refusal.value.sentence


def test_two_aggregates_cannot_share_a_category() -> None:
    class Other(Counter):
        pass

    areas = [
        Area(name="one", aggregates=[Counter]),
        Area(name="two", aggregates=[Other]),
    ]
    with pytest.raises(ValueError, match="counter"):
        Registry(areas)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN, PLAIN)
def test_there_is_a_change_exactly_where_something_differs(before: Any, after: Any) -> None:
    found = list(changes(before, after))
    assert bool(found) == (before != after)
    for change in found:
        assert change.before != change.after
    assert len({change.path for change in found}) == len(found)


def test_differences_reach_into_objects_and_lists() -> None:
    before = {"left": [4, 2], "reserved": {"A": 1}, "name": "Heart"}
    after = {"left": [4, 0], "reserved": {"A": 1, "B": 2}, "name": "Heart"}
    assert list(changes(before, after)) == [
        Change(("left", "2"), 2, 0),
        Change(("reserved", "B"), None, 2),
    ]
