"""What `flask events verify` finds beyond the chain of each stream."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, text, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import command_log, events, seals, streams
from cqrs_app.kernel.verification.seals import Seals
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Take

LATER = timedelta(minutes=10)


@pytest.fixture
def sealed(kernel: Kernel) -> Kernel:
    """Three counters with three events each, and a refusal, all sealed as if ten minutes had
    passed."""
    for number in range(9):
        counter = "abc"[number % 3]
        kernel.commands.execute(Add(counter_id=counter), by_ana(command_id=f"{number}"))
    with pytest.raises(Refused):
        kernel.commands.execute(Take(counter_id="a", amount=50), by_ana(command_id="refused"))
    seal(kernel)
    return kernel


def sealer(kernel: Kernel, most: int = 1_000, key: bytes = b"") -> Seals:
    made = kernel.seals
    return Seals(
        kernel.engines.write,
        kernel.store,
        key or made._key,
        settled=timedelta(0),
        clock=lambda: kernel.clock() + LATER,
        most=most,
    )


def seal(kernel: Kernel, most: int = 1_000) -> int:
    """How often it took."""
    times = 1
    while sealer(kernel, most).extend():
        times += 1
    return times


def change(kernel: Kernel, *statements: object) -> None:
    with kernel.engines.write.begin() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def faults(kernel: Kernel) -> list[str]:
    reports = [*kernel.verify_streams(), *kernel.verify_logs()]
    return [f"{each.about}: {each.fault}" for each in reports if each.fault]


def without_stream(counter: str) -> tuple[object, ...]:
    stream = f"counter-{counter}"
    return (
        delete(events).where(events.c.stream == stream),
        delete(streams).where(streams.c.stream == stream),
    )


def test_what_was_not_touched_has_no_fault(sealed: Kernel) -> None:
    assert faults(sealed) == []
    assert sealed.seals.latest("events").entries == 9
    assert sealed.seals.latest("commands").entries == 10


def test_a_tail_that_is_cut_together_with_its_head_is_found(sealed: Kernel) -> None:
    second = sealed.store.events_of("counter-c")[1]
    change(
        sealed,
        delete(events).where(events.c.stream == "counter-c", events.c.version == 3),
        update(streams)
        .where(streams.c.stream == "counter-c")
        .values(version=2, hash=second.hash, snapshot=None, snapshot_version=None),
    )
    found = faults(sealed)
    assert "counter-c: version 3, which command 8 wrote, is gone" in found
    assert any(each.startswith("the log: positions 1 to 9 are not what was") for each in found)


def test_a_stream_that_vanished_is_found_also_with_its_rows_of_the_command_log(
    sealed: Kernel,
) -> None:
    change(sealed, *without_stream("b"))
    assert "counter-b: version 1, which command 1 wrote, is gone" in faults(sealed)
    change(sealed, delete(command_log).where(command_log.c.stream == "counter-b"))
    found = faults(sealed)
    assert "the log: 3 of 9 positions are missing" in found
    assert any(each.startswith("the command log: commands finished") for each in found)


def test_positions_that_were_swapped_are_found(sealed: Kernel) -> None:
    def move(position: int, to: int) -> object:
        return update(events).where(events.c.position == position).values(position=to)

    change(sealed, move(1, 100), move(2, 1), move(100, 2))
    assert faults(sealed) == [
        "the log: positions 1 to 9 are not what was sealed: some were changed, moved or removed"
    ]
    change(sealed, move(1, 100), move(4, 1), move(100, 4))
    assert any("before the one it follows" in each for each in faults(sealed))


def test_a_snapshot_that_is_not_the_fold_is_found(sealed: Kernel) -> None:
    wrong = '{"value":1000,"padding":""}'
    change(sealed, update(streams).where(streams.c.stream == "counter-b").values(snapshot=wrong))
    assert faults(sealed) == ["counter-b: its snapshot at version 3 is not what its events lead to"]


@pytest.mark.parametrize(
    "changed",
    [
        {"operator": "eve"},
        {"sentence": "Something else."},
        {"outcome": "failed"},
        {"payload": "{}"},
    ],
)
def test_a_refusal_that_was_changed_in_the_command_log_is_found(
    sealed: Kernel, changed: dict[str, str]
) -> None:
    row = command_log.c.command_id == "refused"
    change(sealed, update(command_log).where(row).values(changed))
    [fault] = faults(sealed)
    assert fault.startswith("the command log: commands finished after 1970-01-01")
    assert fault.endswith("are not what was sealed: some were changed, moved or removed")


def test_an_event_whose_command_is_gone_is_found(sealed: Kernel) -> None:
    change(sealed, delete(command_log).where(command_log.c.command_id == "4"))
    assert "counter-b: version 2: its command 4 is not in the command log" in faults(sealed)


def test_the_seal_says_between_which_positions(kernel: Kernel, sealed: Kernel) -> None:
    for number in range(5):
        kernel.commands.execute(Add(counter_id="d"), by_ana(command_id=f"d{number}"))
    assert seal(kernel, most=2) == 3
    assert faults(kernel) == []
    assert kernel.seals.latest("events").until == 14
    change(kernel, *without_stream("d"))
    found = [each for each in faults(kernel) if each.startswith("the log: positions")]
    assert found == [
        "the log: positions 10 to 11 are not what was sealed: some were changed, moved or removed"
    ]


def test_what_a_command_does_after_the_seal_is_not_a_fault(sealed: Kernel) -> None:
    sealed.commands.execute(Add(counter_id="a"), by_ana())
    assert faults(sealed) == []


def test_a_queued_command_is_sealed_once_its_outcome_is_final(sealed: Kernel) -> None:
    sealed.commands.enqueue(Add(counter_id="q"), by_ana(command_id="queued"))
    seal(sealed)
    assert sealed.seals.latest("commands").entries == 10
    assert sealed.commands.run_queued("queued") is not None
    assert faults(sealed) == []
    seal(sealed)
    assert sealed.seals.latest("commands").entries == 11
    assert faults(sealed) == []


def test_a_seal_that_was_changed_or_removed_is_found(sealed: Kernel) -> None:
    sealed.commands.execute(Add(counter_id="a"), by_ana())
    seal(sealed)
    change(sealed, delete(seals).where(seals.c.log == "events", seals.c.number == 1))
    assert faults(sealed) == ["the log: seal 1 is missing, or was changed"]


def test_without_the_key_nobody_can_seal(sealed: Kernel) -> None:
    change(sealed, delete(seals), *without_stream("c"))
    change(sealed, delete(command_log).where(command_log.c.stream == "counter-c"))
    change(sealed, text("UPDATE events SET position = position - 1 WHERE position IN (4, 5)"))
    change(sealed, text("UPDATE events SET position = position - 2 WHERE position IN (7, 8)"))
    sealer(sealed, key=b"of somebody else").extend()
    assert set(faults(sealed)) == {
        "the log: seal 1 is missing, or was changed",
        "the command log: seal 1 is missing, or was changed",
    }


def test_a_seal_kept_elsewhere_finds_what_was_sealed_anew(sealed: Kernel) -> None:
    kept = {"events": sealed.seals.latest("events"), "commands": sealed.seals.latest("commands")}
    assert [each.fault for each in sealed.seals.verify(kept)] == [None, None]
    change(sealed, delete(seals), *without_stream("c"))
    change(sealed, delete(command_log).where(command_log.c.stream == "counter-c"))
    seal(sealed)
    assert [each.fault for each in sealed.seals.verify()] == [None, None]
    assert [each.fault for each in sealed.seals.verify(kept)] == [
        "seal 1 is not the one that was kept"
    ] * 2
    change(sealed, delete(seals))
    assert [each.fault for each in sealed.seals.verify(kept)] == [
        "it ends with seal 0, before seal 1 that was kept"
    ] * 2


def test_a_kept_seal_of_another_console_is_refused(sealed: Kernel) -> None:
    forged = replace(sealed.seals.latest("events"), entries=3)
    fault = next(iter(sealed.seals.verify({"events": forged}))).fault
    assert fault == "the seal to compare with was not signed by this console"


def test_of_two_who_seal_at_once_one_does(
    kernel: Kernel, make_kernel: Callable[..., Kernel]
) -> None:
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    first, second = sealer(kernel), sealer(kernel)
    before = second.latest("events")
    first.extend()
    second._write(second._next(before, 1))
    assert faults(kernel) == []
    assert kernel.seals.latest("events").number == 1
