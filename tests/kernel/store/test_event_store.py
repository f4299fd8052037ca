"""One contract for both event stores: locking, order, positions, the hash chain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, update

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.clock import utc_now
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.commands.decider import Decider
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import AlreadyRecorded, VersionConflict
from cqrs_app.kernel.events.recorded import FIRST_HASH, UnknownEvent
from cqrs_app.kernel.store import Change, tables
from cqrs_app.kernel.store.base import EVENT_FIELDS
from cqrs_app.kernel.store.postgresql import SEQUENCER_LOCK
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Taken


def change(kernel: Kernel, counter: str = "a", command_id: str | None = None) -> Change:
    """What adding one would write now."""
    context = by_ana(command_id=command_id or new_id())
    call = Call(Add(counter_id=counter), context, f"counter-{counter}", "{}", utc_now(), utc_now)
    repository = Repository(kernel.store, kernel.registry.codec)
    decider = Decider(
        routes=kernel.registry.routes,
        codec=kernel.registry.codec,
        repository=repository,
        vault=kernel.vault,
        clock=utc_now,
    )
    return decider.decide(call)


def add(kernel: Kernel, counter: str = "a", times: int = 1) -> None:
    for _ in range(times):
        kernel.commands.execute(Add(counter_id=counter), by_ana())


@pytest.mark.parametrize("others", [0, 20_000])
def test_the_versions_of_few_and_of_many_streams_are_found(kernel: Kernel, others: int) -> None:
    names = ["a", 'it\'s "quoted"', "naïve"]
    for name in names:
        add(kernel, name)
    streams = [f"counter-{name}" for name in names]
    more = [f"counter-no-{number}" for number in range(others)]
    assert kernel.store.versions_of([*streams, *more]) == dict.fromkeys(streams, 1)


def test_two_changes_decided_on_the_same_version_do_not_both_get_in(kernel: Kernel) -> None:
    first, second = change(kernel), change(kernel)
    kernel.store.commit([first])
    with pytest.raises(VersionConflict):
        kernel.store.commit([second])
    assert [e.version for e in kernel.store.events_of("counter-a")] == [1]
    assert kernel.log.find(second.entry.command_id) is None


def test_a_finished_command_id_does_not_get_in_again_and_leaves_no_trace(kernel: Kernel) -> None:
    kernel.store.commit([change(kernel, command_id="one")])
    with pytest.raises(AlreadyRecorded):
        kernel.store.commit([change(kernel, command_id="one")])
    with pytest.raises(AlreadyRecorded):
        kernel.store.commit([change(kernel, "b", command_id="two"), change(kernel, "c", "one")])
    assert [e.version for e in kernel.store.events_of("counter-a")] == [1]
    assert kernel.store.load("counter-a").version == 1  # type: ignore[union-attr]
    assert kernel.store.load("counter-b") is None
    assert kernel.log.find("two") is None


def test_a_batch_with_one_conflict_writes_nothing(kernel: Kernel) -> None:
    old = change(kernel)
    add(kernel)
    with pytest.raises(VersionConflict):
        kernel.store.commit([change(kernel, "b"), old])
    assert kernel.store.load("counter-b") is None


def test_a_batch_moves_each_head_to_the_last_event_of_its_stream(kernel: Kernel) -> None:
    counters = ["a", "b", "a", "a"]
    kernel.commands.execute_batch([(Add(counter_id=each), by_ana()) for each in counters])
    assert kernel.store.versions_of(["counter-a", "counter-b"]) == {"counter-a": 3, "counter-b": 1}
    assert [report.fault for report in kernel.verify_streams()] == [None, None]
    add(kernel, "a")
    assert kernel.store.versions_of(["counter-a"]) == {"counter-a": 4}


def test_positions_are_dealt_without_gaps_in_insert_order(kernel: Kernel) -> None:
    add(kernel, "a", 3)
    add(kernel, "b", 2)
    kernel.store.place()
    add(kernel, "a", 1)
    kernel.store.place()
    followed = kernel.store.follow(0, 100)
    assert [event.position for event in followed] == [1, 2, 3, 4, 5, 6]
    assert [event.version for event in followed if event.stream == "counter-a"] == [1, 2, 3, 4]
    assert [event.position for event in kernel.store.follow(4, 1)] == [5]
    assert kernel.store.position_of("counter-b", 1) == 4
    assert kernel.store.head() == 6


def test_the_head_counts_events_that_have_no_position_yet(kernel: Kernel) -> None:
    add(kernel, "a", 3)
    assert kernel.store.head() == 3
    assert kernel.store.recorded_after(0) is not None
    kernel.store.place()
    assert kernel.store.head() == 3
    assert kernel.store.recorded_after(3) is None


def test_a_commit_that_comes_late_is_not_skipped(kernel: Kernel, engines: Engines) -> None:
    if engines.write.dialect.name == "sqlite":
        # One writer: the second waits for the first, so nothing can come late.
        add(kernel, "a")
        assert len(kernel.store.follow(0, 10)) == 1
        return
    late = change(kernel, "late")
    with engines.write.begin() as slow:
        # Takes its id first and commits last, as a slow transaction does.
        slow.execute(
            tables.events.insert(),
            [
                {
                    name: getattr(event, name)
                    for name in tables.events.c.keys()  # noqa: SIM118
                    if name not in ("id", "position")
                }
                for event in late.events
            ],
        )
        add(kernel, "quick", 2)
        # A wake-up may have placed some of them already, and may place the last.
        kernel.store.place()
        seen = kernel.store.follow(0, 10)
        assert [event.stream for event in seen] == ["counter-quick"] * 2
    kernel.store.place()
    [event] = kernel.store.follow(seen[-1].position or 0, 10)
    assert event.stream == "counter-late"


@pytest.mark.parametrize("kind", ["postgresql"])
def test_whoever_gives_positions_waits_for_another_who_does(
    kernel: Kernel, engines: Engines
) -> None:
    with ThreadPoolExecutor(1) as threads, engines.write.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(SEQUENCER_LOCK)))
        add(kernel, "a", 2)
        placing = threads.submit(kernel.store.place)
        with pytest.raises(TimeoutError):
            placing.result(0.3)
        assert kernel.store.follow(0, 10) == ()
        other.rollback()
        placing.result(60)
    assert [event.position for event in kernel.store.follow(0, 10)] == [1, 2]


def test_a_reader_that_keeps_up_with_many_writers_sees_every_event_once_and_in_order(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel()
    done = threading.Event()

    def write(counter: str) -> None:
        add(kernel, counter, 25)

    def write_all() -> None:
        threads = [threading.Thread(target=write, args=(f"c{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done.set()

    writers = threading.Thread(target=write_all)
    writers.start()
    seen = []
    position = 0
    while True:
        finished = done.is_set()
        kernel.store.place()
        for event in kernel.store.follow(position, 20):
            seen.append((event.stream, event.version))
            assert event.position == position + 1
            position = event.position
        if finished and position == 150:
            break
    writers.join()
    for number in range(6):
        versions = [version for stream, version in seen if stream == f"counter-c{number}"]
        assert versions == list(range(1, 26))


def test_the_state_comes_from_the_snapshot_and_the_events_after_it(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 4)
    head = kernel.store.load("counter-a")
    assert head is not None and head.snapshot is not None
    assert head.snapshot.version == 4
    older = {"snapshot_version": 2, "snapshot": '{"value":2}'}
    with engines.write.begin() as connection:
        connection.execute(update(tables.streams).values(older))
    add(kernel, "a")
    head = kernel.store.load("counter-a")
    assert head is not None and head.snapshot is not None
    assert head.snapshot.state.startswith('{"value":5')


def test_a_snapshot_of_an_older_shape_is_ignored(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "a", 4)
    wrong = {"snapshot_shape": 0, "snapshot": '{"value":999}'}
    with engines.write.begin() as connection:
        connection.execute(update(tables.streams).values(wrong))
    add(kernel, "a")
    head = kernel.store.load("counter-a")
    assert head is not None and head.snapshot is not None
    assert head.snapshot.state.startswith('{"value":5')


def test_an_old_payload_is_read_in_its_newest_shape(kernel: Kernel) -> None:
    add(kernel, "a")
    [stored] = kernel.store.events_of("counter-a")
    old = replace(stored, type="Taken", schema=1, payload='{"counter_id":"a","amount":1}')
    assert kernel.registry.codec.decode(old).event == Taken(
        counter_id="a", amount=1, why="not known"
    )


@pytest.mark.parametrize(("name", "schema"), [("Added", 2), ("Taken", 3)])
def test_a_payload_of_a_newer_release_is_not_read_as_if_it_were_known(
    kernel: Kernel, name: str, schema: int
) -> None:
    add(kernel, "a")
    [stored] = kernel.store.events_of("counter-a")
    with pytest.raises(UnknownEvent, match=f"{name} schema {schema} was written by a newer"):
        kernel.registry.codec.decode(
            replace(
                stored, type=name, schema=schema, payload='{"counter_id":"a","amount":1,"why":""}'
            )
        )


def test_an_untouched_log_verifies(kernel: Kernel) -> None:
    add(kernel, "a", 3)
    add(kernel, "b", 2)
    reports = list(kernel.verify_streams())
    assert [(r.about, r.entries, r.fault) for r in reports] == [
        ("counter-a", 3, None),
        ("counter-b", 2, None),
    ]


TAMPERING = {
    "changed": 'UPDATE events SET payload = \'{"counter_id":"a","amount":99}\' WHERE version = 2',
    "removed": "DELETE FROM events WHERE version = 2",
    "cut off": "DELETE FROM events WHERE version = 3",
    "another operator": "UPDATE events SET operator = 'eve' WHERE version = 1",
    "head set back": "UPDATE streams SET version = 2",
    "head removed": "DELETE FROM streams",
}


HASHED = {
    "stream": "counter-c",
    "version": 4,
    "type": "Taken",
    "schema": 2,
    "payload": "{}",
    "operator": "eve",
    "command_id": "another",
    "correlation_id": "another",
    "causation_id": "another",
    "occurred_at": datetime(2020, 1, 1, tzinfo=UTC),
    "recorded_at": datetime(2020, 1, 1, tzinfo=UTC),
}
"""Another value for each column of an event that its hash covers."""


def test_every_column_but_the_position_is_in_the_hash_of_an_event(kernel: Kernel) -> None:
    assert HASHED.keys() == set(EVENT_FIELDS) - {"hash", "position"}
    add(kernel, "a")
    [event] = kernel.store.events_of("counter-a")
    hashes = {
        replace(event, **{name: value}).hash_after(FIRST_HASH) for name, value in HASHED.items()
    }
    assert event.hash not in hashes
    assert len(hashes) == len(HASHED)


@pytest.mark.parametrize("column", [*HASHED, "hash"])
def test_a_changed_column_of_one_event_is_found_in_its_stream_and_in_no_other(
    kernel: Kernel, engines: Engines, column: str
) -> None:
    add(kernel, "a", 3)
    add(kernel, "b", 3)
    one = (tables.events.c.stream == "counter-a", tables.events.c.version == 2)
    other = HASHED | {"hash": bytes(32)}
    with engines.write.begin() as connection:
        connection.execute(update(tables.events).where(*one).values({column: other[column]}))
    faults = {report.about: report.fault for report in kernel.verify_streams()}
    assert faults.pop("counter-b") is None
    assert all(faults.values())
    assert "counter-a" in faults


def test_a_last_event_that_was_rewritten_together_with_its_hash_is_found(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 3)
    add(kernel, "b", 3)
    _, before, last = kernel.store.events_of("counter-a")
    forged = replace(last, payload='{"counter_id":"a","amount":99}')
    one = (tables.events.c.stream == "counter-a", tables.events.c.version == 3)
    values = {"payload": forged.payload, "hash": forged.hash_after(before.hash)}
    with engines.write.begin() as connection:
        connection.execute(update(tables.events).where(*one).values(values))
    assert {report.about: report.fault for report in kernel.verify_streams()} == {
        "counter-a": "its head does not fit its last event",
        "counter-b": None,
    }


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING.keys())
def test_tampering_is_found(kernel: Kernel, engines: Engines, statement: str) -> None:
    add(kernel, "a", 3)
    with engines.write.begin() as connection:
        connection.exec_driver_sql(statement)
    [found] = kernel.verify_streams()
    assert (found.about, bool(found.fault)) == ("counter-a", True)


def test_of_many_streams_the_last_is_verified_too(kernel: Kernel, engines: Engines) -> None:
    kernel.commands.execute_batch([(Add(counter_id=f"{n:03}"), by_ana()) for n in range(501)])
    last = tables.events.c.stream == "counter-500"
    with engines.write.begin() as connection:
        connection.execute(update(tables.events).where(last).values(operator="eve"))
    assert [report.about for report in kernel.verify_streams() if report.fault] == ["counter-500"]


def test_moments_come_back_in_utc_to_the_microsecond(kernel: Kernel, engines: Engines) -> None:
    before = utc_now()
    add(kernel)
    [event] = kernel.store.events_of("counter-a")
    assert before <= event.recorded_at <= utc_now()
    with engines.write.connect() as connection:
        raw = connection.execute(select(tables.events.c.recorded_at)).scalar_one()
    assert raw == event.recorded_at
    assert raw.utcoffset().total_seconds() == 0


def test_events_commit_together_with_the_rest_of_a_transaction_or_not_at_all(
    kernel: Kernel, engines: Engines
) -> None:
    columns = tables.events.c
    mark = update(tables.events).where(columns.stream == "counter-b", columns.version == 1)

    def write(operator: str, *changes: Change) -> None:
        with engines.write.begin() as connection:
            connection.execute(mark.values(operator=operator))
            kernel.store.append(connection, changes)

    add(kernel, "b")
    old = change(kernel, "b")
    add(kernel, "b")
    with pytest.raises(VersionConflict):
        write("eve", change(kernel), old)
    assert kernel.store.load("counter-a") is None
    assert kernel.store.events_of("counter-b")[0].operator == "ana"
    write("eve", change(kernel))
    assert [event.version for event in kernel.store.events_of("counter-a")] == [1]
    assert kernel.store.events_of("counter-b")[0].operator == "eve"


def test_the_first_events_of_streams_are_found(kernel: Kernel) -> None:
    add(kernel, "a", 2)
    add(kernel, "b")
    found = kernel.store.first_of(["counter-a", "counter-b", "counter-none"])
    assert {(event.stream, event.version) for event in found} == {
        ("counter-a", 1),
        ("counter-b", 1),
    }
