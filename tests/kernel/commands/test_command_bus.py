"""The command bus: acceptance, refusal, repetition, retries, and the log afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.errors import (
    BusError,
    Busy,
    CommandReused,
    Invalid,
    NotAllowed,
    Refused,
    SwitchedOff,
    VersionConflict,
)
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store import Change
from cqrs_app.kernel.store.tables import command_log
from tests.kernel.conftest import ANA, by_ana
from tests.kernel.shop import Add, Added, Counter, Take, Touch, shop, shop_where
from tests.leases import end_leases


def versions(kernel: Kernel, stream: str = "counter-a") -> list[int]:
    return [event.version for event in kernel.store.events_of(stream)]


def test_a_command_answers_with_its_receipt(kernel: Kernel) -> None:
    receipt = kernel.commands.execute(Add(counter_id="a", amount=3), by_ana(command_id="one"))
    assert (receipt.command_id, receipt.status, receipt.stream) == ("one", "succeeded", "counter-a")
    assert (receipt.version, receipt.events) == (1, ("Added",))
    assert not receipt.repeated


def test_log_row_events_and_head_are_written_together(kernel: Kernel) -> None:
    kernel.commands.execute(Add(counter_id="a", amount=3), by_ana(command_id="one"))
    entry = kernel.log.find("one")
    head = kernel.store.load("counter-a")
    [event] = kernel.store.events_of("counter-a")
    assert entry is not None and head is not None
    assert (entry.outcome, entry.operator, entry.channel) == ("succeeded", "ana", "test")
    assert (entry.version, entry.payload) == (1, '{"counter_id":"a","amount":3}')
    assert (head.version, head.hash) == (1, event.hash)
    assert event.command_id == "one"
    assert event.correlation_id == "one"


def test_a_refusal_is_logged_with_code_and_sentence_and_appends_nothing(kernel: Kernel) -> None:
    with pytest.raises(Refused) as refused:
        kernel.commands.execute(Take(counter_id="a"), by_ana(command_id="one"))
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.code, entry.sentence) == (
        "refused",
        "not_enough",
        "Only 0 are left.",
    )
    assert refused.value.code == "not_enough"
    assert versions(kernel) == []


def test_events_before_a_refusal_in_the_same_command_are_not_kept(kernel: Kernel) -> None:
    kernel.commands.execute(Add(counter_id="a", amount=3), by_ana())
    with pytest.raises(Refused):
        kernel.commands.execute(Take(counter_id="a", amount=2, twice=True), by_ana())
    assert versions(kernel) == [1]


def test_a_failure_is_logged_with_its_traceback(make_kernel: Callable[..., Kernel]) -> None:
    def broken(counter: Counter, command: Add) -> None:
        raise ZeroDivisionError("a fault of the program")

    kernel = make_kernel(area=shop_where(broken))
    with pytest.raises(ZeroDivisionError):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.code) == ("failed", "ZeroDivisionError")
    assert "a fault of the program" in (entry.traceback or "")


def test_a_failed_command_may_be_sent_again_with_its_id(make_kernel: Callable[..., Kernel]) -> None:
    faults = [ZeroDivisionError("once")]

    def sometimes(counter: Counter, command: Add):  # type: ignore[no-untyped-def]
        if faults:
            raise faults.pop()
        yield from Counter.add(counter, command)

    kernel = make_kernel(area=shop_where(sometimes))
    with pytest.raises(ZeroDivisionError):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    receipt = kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    assert (receipt.status, receipt.repeated) == ("succeeded", False)
    entry = kernel.log.find("one")
    assert entry is not None and entry.outcome == "succeeded"


@pytest.mark.parametrize("command", [Add(counter_id="a", amount=2), Take(counter_id="a")])
def test_a_repeated_command_id_returns_the_first_receipt(kernel: Kernel, command: Add) -> None:
    kernel.commands.execute(Add(counter_id="a", amount=5), by_ana())
    first = kernel.commands.execute(command, by_ana(command_id="one", expected_version=1))
    again = kernel.commands.execute(command, by_ana(command_id="one", expected_version=1))
    assert again.repeated
    assert (again.version, again.events) == (first.version, first.events)
    assert versions(kernel) == [1, 2]


def test_a_repeated_refusal_is_refused_the_same_way_even_if_it_would_pass_now(
    kernel: Kernel,
) -> None:
    with pytest.raises(Refused):
        kernel.commands.execute(Take(counter_id="a"), by_ana(command_id="one"))
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    with pytest.raises(Refused, match="Only 0"):
        kernel.commands.execute(Take(counter_id="a"), by_ana(command_id="one"))
    assert versions(kernel) == [1]


@pytest.mark.parametrize(
    ("command", "actor"),
    [(Add(counter_id="a", amount=9), ANA), (Add(counter_id="a"), replace(ANA, name="ben"))],
)
def test_a_command_id_used_for_something_else_is_refused(
    kernel: Kernel, command: Add, actor: Actor
) -> None:
    kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    with pytest.raises(CommandReused):
        kernel.commands.execute(command, Context(actor=actor, channel="test", command_id="one"))
    assert versions(kernel) == [1]


def test_without_the_permission_nothing_happens_but_the_log_row(kernel: Kernel) -> None:
    nobody = Context(actor=Actor("eve"), channel="test", command_id="one")
    with pytest.raises(NotAllowed):
        kernel.commands.execute(Add(counter_id="a"), nobody)
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.code, entry.operator) == ("refused", "not_allowed", "eve")
    assert versions(kernel) == []


def test_its_own_time_needs_the_permission_for_history(kernel: Kernel) -> None:
    past = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    with pytest.raises(NotAllowed, match=r"history\.record"):
        kernel.commands.execute(Add(counter_id="a"), by_ana(occurred_at=past))
    importer = Actor("importer", ANA.permissions | {"history.record"})
    context = Context(actor=importer, channel="import", occurred_at=past)
    kernel.commands.execute(Add(counter_id="a"), context)
    [event] = kernel.store.events_of("counter-a")
    assert event.occurred_at == past
    assert event.recorded_at > past


def test_a_command_that_minds_versions_conflicts_with_a_later_change(kernel: Kernel) -> None:
    kernel.commands.execute(Add(counter_id="a", amount=5), by_ana())
    kernel.commands.execute(Add(counter_id="a", amount=5), by_ana())
    with pytest.raises(VersionConflict) as conflict:
        kernel.commands.execute(Take(counter_id="a"), by_ana(expected_version=1, command_id="one"))
    assert (conflict.value.expected, conflict.value.actual) == (1, 2)
    entry = kernel.log.find("one")
    assert entry is not None and entry.code == "changed_meanwhile"
    assert kernel.commands.execute(Add(counter_id="a"), by_ana(expected_version=1)).version == 3


def test_a_version_that_the_stream_has_not_reached_is_a_conflict_too(kernel: Kernel) -> None:
    for counter in ("a", "b", "b", "b"):
        kernel.commands.execute(Add(counter_id=counter, amount=5), by_ana())
    with pytest.raises(VersionConflict) as conflict:
        kernel.commands.execute(Take(counter_id="a"), by_ana(expected_version=3))
    assert (conflict.value.expected, conflict.value.actual) == (3, 1)
    assert versions(kernel) == [1]


def test_a_race_that_was_lost_may_be_run_again_under_the_same_id(
    make_kernel: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = make_kernel(commands=BusOptions(retry_attempts=2))

    def lose(changes: Sequence[Change]) -> None:
        raise VersionConflict("counter-a", 0, None)

    with monkeypatch.context() as always_late:
        always_late.setattr(kernel.store, "commit", lose)
        with pytest.raises(VersionConflict):
            kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    lost = kernel.log.find("one")
    assert lost is not None and (lost.outcome, lost.code) == ("failed", "changed_meanwhile")
    assert kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one")).version == 1


def test_without_optimistic_concurrency_an_older_view_is_no_conflict(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(commands=BusOptions(optimistic_concurrency=False))
    kernel.commands.execute(Add(counter_id="a", amount=5), by_ana())
    kernel.commands.execute(Add(counter_id="a", amount=5), by_ana())
    assert kernel.commands.execute(Take(counter_id="a"), by_ana(expected_version=1)).version == 3


def test_many_writers_on_one_stream_all_get_in_exactly_once(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(commands=BusOptions(retry_attempts=100))
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(10):
                kernel.commands.execute(Add(counter_id="a"), by_ana())
        except BaseException as error:  # noqa: BLE001 - reported by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert versions(kernel) == list(range(1, 51))


def test_a_preview_tells_the_events_and_changes_nothing(kernel: Kernel) -> None:
    assert kernel.commands.preview(Add(counter_id="a", amount=2), by_ana(command_id="one")) == (
        Added(counter_id="a", amount=2),
    )
    assert versions(kernel) == []
    assert kernel.log.find("one") is None
    with pytest.raises(Refused):
        kernel.commands.preview(Take(counter_id="a"), by_ana())
    with pytest.raises(NotAllowed):
        kernel.commands.preview(Add(counter_id="a"), Context(actor=Actor("eve"), channel="test"))


def test_a_command_without_events_succeeds_and_repeats(kernel: Kernel) -> None:
    first = kernel.commands.execute(Touch(counter_id="a"), by_ana(command_id="one"))
    again = kernel.commands.execute(Touch(counter_id="a"), by_ana(command_id="one"))
    assert (first.version, first.events, again.repeated) == (0, (), True)


def test_a_switched_off_bus_refuses(make_kernel: Callable[..., Kernel]) -> None:
    kernel = make_kernel(commands=BusOptions(enabled=False))
    with pytest.raises(SwitchedOff):
        kernel.commands.execute(Add(counter_id="a"), by_ana())
    with pytest.raises(SwitchedOff):
        kernel.commands.enqueue(Add(counter_id="a"), by_ana())
    with pytest.raises(SwitchedOff):
        kernel.commands.execute_batch([(Add(counter_id="a"), by_ana())])
    assert versions(kernel) == []


def test_unusable_values_never_become_a_command() -> None:
    with pytest.raises(Invalid) as invalid:
        Add(counter_id="", amount=0)
    assert invalid.value.problems == {
        "counter_id": "Required.",
        "amount": "Must be 1 or more.",
    }


def test_a_queued_command_is_carried_out_once(kernel: Kernel) -> None:
    receipt = kernel.commands.enqueue(Add(counter_id="a", amount=4), by_ana(command_id="one"))
    assert receipt.status == "queued"
    assert versions(kernel) == []
    done = kernel.commands.run_queued("one")
    assert done is not None
    assert (done.status, done.version, done.events) == ("succeeded", 1, ("Added",))
    assert kernel.commands.run_queued("one") is None
    assert kernel.commands.enqueue(Add(counter_id="a", amount=4), by_ana(command_id="one")).repeated
    assert versions(kernel) == [1]


def test_a_command_that_runs_is_taken_again_only_when_its_lease_is_over(kernel: Kernel) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    for command_id in ("one", "two"):
        kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id=command_id))
    first = kernel.log.take("one")
    assert kernel.log.take("one") is None
    assert kernel.log.waiting(long_ago) == []
    end_leases(kernel.engines.write, command_log.c.lease_until)
    assert kernel.log.waiting(long_ago) == ["one"]
    again = kernel.log.take("one")
    assert first is not None and again is not None
    assert again.attempts == first.attempts + 1
    assert kernel.log.find("two").outcome == "queued"  # type: ignore[union-attr]


def test_a_finished_row_of_the_log_stays_as_it_is(kernel: Kernel) -> None:
    for command_id in ("finished", "queued"):
        kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id=command_id))
    kernel.commands.run_queued("finished")
    for command_id in ("finished", "queued"):
        entry = kernel.log.find(command_id)
        assert entry is not None
        kernel.log.record(structs.replace(entry, outcome="refused", code="late"))
    entries = kernel.log.find_many(["finished", "queued"])
    assert {name: (each.outcome, each.code) for name, each in entries.items()} == {
        "finished": ("succeeded", None),
        "queued": ("refused", "late"),
    }


def test_a_queued_command_is_refused_in_the_log(kernel: Kernel) -> None:
    kernel.commands.enqueue(Take(counter_id="a"), by_ana(command_id="one"))
    with pytest.raises(Refused):
        kernel.commands.run_queued("one")
    entry = kernel.log.find("one")
    assert entry is not None and (entry.outcome, entry.code) == ("refused", "not_enough")


def test_a_batch_answers_for_each_item_in_order(kernel: Kernel) -> None:
    items = [
        (Add(counter_id="a", amount=2), by_ana(command_id="1")),
        (Take(counter_id="a", amount=1), by_ana(command_id="2")),
        (Take(counter_id="a", amount=9), by_ana(command_id="3")),
        (Add(counter_id="b", amount=1), by_ana(command_id="4")),
        (Add(counter_id="a", amount=2), by_ana(command_id="1")),
        (Take(counter_id="a", amount=1), by_ana(command_id="5")),
        (Add(counter_id="c"), Context(actor=Actor("eve"), channel="test", command_id="6")),
    ]
    outcomes = kernel.commands.execute_batch(items)
    told = [o.receipt.version if o.receipt else type(o.error).__name__ for o in outcomes]
    assert told == [1, 2, "Refused", 1, 1, 3, "NotAllowed"]
    assert versions(kernel) == [1, 2, 3]
    repeated = kernel.commands.execute_batch(items)
    assert [o.receipt.version if o.receipt else "x" for o in repeated] == [1, 2, "x", 1, 1, 3, "x"]
    assert versions(kernel) == [1, 2, 3]


def test_a_batch_refused_in_mid_decision_leaves_later_items_a_clean_state(kernel: Kernel) -> None:
    outcomes = kernel.commands.execute_batch(
        [
            (Add(counter_id="a", amount=3), by_ana()),
            (Take(counter_id="a", amount=2, twice=True), by_ana()),
            (Take(counter_id="a", amount=3), by_ana()),
        ]
    )
    assert [o.receipt.version if o.receipt else "refused" for o in outcomes] == [1, "refused", 2]


def test_a_batch_overtaken_by_another_writer_still_gets_every_item_in(kernel: Kernel) -> None:
    commit = kernel.store.commit
    kernel_store = kernel.store
    once = [True]

    def overtaken(changes):  # type: ignore[no-untyped-def]
        if once:
            once.pop()
            kernel.commands.execute(Add(counter_id="a"), by_ana())
        return commit(changes)

    kernel_store.commit = overtaken  # type: ignore[method-assign]
    outcomes = kernel.commands.execute_batch([(Add(counter_id="a"), by_ana()) for _ in range(3)])
    errors: list[BusError | None] = [outcome.error for outcome in outcomes]
    assert errors == [None, None, None]
    assert versions(kernel) == [1, 2, 3, 4]


def test_an_area_can_add_its_own_step_to_every_command(make_kernel: Callable[..., Kernel]) -> None:
    def closed(call: Call, proceed: Callable[[Call], Receipt]) -> Receipt:
        if call.command == Add(counter_id="closed"):
            raise Refused("closed", "This counter is closed.")
        return proceed(call)

    kernel = make_kernel(area=replace(shop(), middleware=[closed]))
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    with pytest.raises(Refused, match="closed"):
        kernel.commands.execute(Add(counter_id="closed"), by_ana(command_id="one"))
    entry = kernel.log.find("one")
    assert entry is not None
    assert entry.code == "closed"


def test_without_snapshots_the_state_comes_from_all_events(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(commands=BusOptions(snapshots=False))
    for _ in range(3):
        kernel.commands.execute(Add(counter_id="a"), by_ana())
    head = kernel.store.load("counter-a")
    assert head is not None
    assert head.snapshot is None
    assert kernel.commands.execute(Take(counter_id="a", amount=3), by_ana()).version == 4


def test_more_commands_at_once_than_allowed_are_turned_away(
    make_kernel: Callable[..., Kernel],
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(counter: Counter, command: Add) -> Iterator[Event]:
        entered.set()
        assert leave.wait(60)
        yield from Counter.add(counter, command)

    options = BusOptions(max_concurrent=1, timeout=0.2)
    kernel = make_kernel(area=shop_where(slow), commands=options)
    first = threading.Thread(target=kernel.commands.execute, args=(Add(counter_id="a"), by_ana()))
    first.start()
    assert entered.wait(60)
    with pytest.raises(Busy):
        kernel.commands.execute(Add(counter_id="b"), by_ana())
    leave.set()
    first.join()
    assert versions(kernel) == [1]
