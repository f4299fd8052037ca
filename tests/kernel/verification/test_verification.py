"""What `flask events verify` finds beyond the chain of each stream."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, insert, select, text, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import command_log, events, seals, streams
from cqrs_app.kernel.verification import entries
from cqrs_app.kernel.verification.seals import Seal, Seals
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Take

MOVED = "are not what was sealed: some were changed, moved or removed"
STRAY = "the command log: some commands bear the number of a seal that is missing"


@pytest.fixture
def sealed(kernel: Kernel) -> Kernel:
    """Three counters with three events each, and a refusal, all sealed."""
    for number in range(9):
        counter = "abc"[number % 3]
        kernel.commands.execute(Add(counter_id=counter), by_ana(command_id=f"{number}"))
    with pytest.raises(Refused):
        kernel.commands.execute(Take(counter_id="a", amount=50), by_ana(command_id="refused"))
    seal(kernel)
    return kernel


def sealer(kernel: Kernel, most: int = 1_000, key: bytes = b"") -> Seals:
    key_of = (lambda: key) if key else kernel.seals._key_of
    return Seals(kernel.engines.write, kernel.store, key_of, most=most)


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
    assert any(
        each.startswith("the command log: the commands of seal 1, finished by ") for each in found
    )


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


FINISHED_LATER = {"finished_at": datetime(2100, 1, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    "changed",
    [
        {"operator": "eve"},
        {"sentence": "Something else."},
        {"outcome": "failed"},
        {"payload": "{}"},
        {"finished_at": None},
        FINISHED_LATER,
        {"seal": None},
        {"seal": 2},
        {"seal": None} | FINISHED_LATER,
    ],
    ids=str,
)
def test_a_refusal_that_was_changed_in_the_command_log_is_found(
    sealed: Kernel, changed: dict[str, object]
) -> None:
    for sealed_twice in range(2):
        sealed.commands.execute(Add(counter_id="d"), by_ana(command_id=f"d{sealed_twice}"))
        seal(sealed)
    row = command_log.c.command_id == "refused"
    change(sealed, update(command_log).where(row).values(changed))
    [fault] = faults(sealed)
    assert fault.startswith("the command log: the commands of seal 1, finished by 20")
    assert MOVED in fault or "cannot be read" in fault
    seal(sealed)
    assert faults(sealed) == [fault], "sealing goes on, and hides nothing"


@pytest.mark.parametrize("number", [-1, 0, 7])
def test_a_command_with_the_number_of_no_seal_is_found(sealed: Kernel, number: int) -> None:
    sealed.commands.execute(Add(counter_id="a"), by_ana(command_id="forged"))
    row = command_log.c.command_id == "forged"
    change(sealed, update(command_log).where(row).values(seal=number))
    assert faults(sealed) == [STRAY]
    seal(sealed)
    assert faults(sealed) == [STRAY]


def test_a_command_that_was_added_to_a_seal_is_found(sealed: Kernel) -> None:
    sealed.commands.execute(Add(counter_id="a"), by_ana(command_id="forged"))
    row = command_log.c.command_id == "forged"
    change(sealed, update(command_log).where(row).values(seal=1))
    [fault] = faults(sealed)
    assert fault.endswith(MOVED)


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


@pytest.mark.parametrize("value", ["'no time'", "5", "x'00'"])
def test_a_time_that_is_none_is_a_fault_of_its_stream_and_stops_nothing(
    sealed: Kernel, value: str
) -> None:
    if sealed.engines.write.dialect.name == "postgresql":
        pytest.skip("PostgreSQL takes nothing else for a time")
    change(
        sealed,
        text(f"UPDATE events SET occurred_at = {value} WHERE position = 1"),
        text("UPDATE command_log SET finished_at = '2000-no' WHERE command_id = '5'"),
    )
    log, commands = (each for each in faults(sealed) if "cannot be read: " in each)
    assert log.startswith("counter-a: an entry of it cannot be read: ")
    assert commands.startswith("the command log: the commands of seal 1, finished by ")


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


def test_commands_that_ended_in_the_same_moment_are_all_sealed_however_many_are_read_at_once(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.kernel.verification.entries.PAGE", 2)
    for number in range(7):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id=f"{number}"))
    ended = kernel.clock()
    change(kernel, update(command_log).values(finished_at=ended))
    late = update(command_log).where(command_log.c.command_id == "3")
    change(kernel, late.values(finished_at=ended + timedelta(seconds=1)))
    seal(kernel)
    assert kernel.seals.latest("commands").entries == 7
    assert faults(kernel) == []
    change(
        kernel, update(command_log).where(command_log.c.command_id == "5").values(operator="eve")
    )
    assert [each.partition(":")[0] for each in faults(kernel)] == ["the command log"]


@pytest.mark.parametrize(("log", "about"), [("events", "the log"), ("commands", "the command log")])
def test_a_seal_that_was_changed_or_removed_is_found(sealed: Kernel, log: str, about: str) -> None:
    sealed.commands.execute(Add(counter_id="a"), by_ana())
    seal(sealed)
    last = seals.c.log == log, seals.c.number == 2
    change(sealed, update(seals).where(*last).values(entries=seals.c.entries - 1))
    assert faults(sealed) == [f"{about}: seal 2 is missing, or was changed"]
    change(sealed, delete(seals).where(seals.c.log == log, seals.c.number == 1))
    assert faults(sealed) == [f"{about}: seal 1 is missing, or was changed"]


def test_that_the_last_seals_of_commands_were_removed_is_found(sealed: Kernel) -> None:
    change(sealed, delete(seals).where(seals.c.log == "commands"))
    assert faults(sealed) == [STRAY]


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


def test_whoever_begins_before_another_seals_and_ends_later_changes_nothing(
    sealed: Kernel,
) -> None:
    sealed.commands.execute(Add(counter_id="a"), by_ana(command_id="early"))
    slow = sealer(sealed)

    def another_seals(last: Seal) -> bool:
        assert sealer(sealed)._extend("commands") is False
        sealed.commands.execute(Add(counter_id="b"), by_ana(command_id="late"))
        return False

    slow._adopt = another_seals  # type: ignore[method-assign]
    assert slow._extend("commands") is True
    assert numbers(sealed, "early", "late") == {"early": 2, "late": None}
    assert faults(sealed) == []


def test_whoever_has_marked_commands_when_another_seals_changes_nothing(sealed: Kernel) -> None:
    if sealed.engines.write.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    sealed.commands.execute(Add(counter_id="a"), by_ana(command_id="early"))
    key = sealed.seals._key_of()

    def another_seals() -> bytes:
        sealed.commands.execute(Add(counter_id="b"), by_ana(command_id="late"))
        assert sealer(sealed)._extend("commands") is False
        return key

    slow = Seals(sealed.engines.write, sealed.store, another_seals)
    assert slow._extend("commands") is True
    assert numbers(sealed, "early", "late") == {"early": None, "late": 2}
    assert faults(sealed) == []


def test_several_seal_while_commands_go_on(kernel: Kernel) -> None:
    begun, ended = Barrier(3), Event()

    def seal_on() -> None:
        mine = sealer(kernel, most=7)
        begun.wait()
        while mine.extend() or not ended.is_set():
            pass

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(seal_on) for _ in range(2)]
        begun.wait()
        for number in range(30):
            kernel.commands.execute(Add(counter_id="abc"[number % 3]), by_ana())
        ended.set()
    assert [each.result() for each in both] == [None, None]
    seal(kernel)
    assert kernel.seals.latest("commands").entries == 30
    assert faults(kernel) == []


def numbers(kernel: Kernel, *ids: str) -> dict[str, int | None]:
    """Of the seals that cover these commands."""
    found = select(command_log.c.command_id, command_log.c.seal)
    with kernel.engines.write.connect() as connection:
        rows = connection.execute(found.where(command_log.c.command_id.in_(ids)))
        return {row.command_id: row.seal for row in rows}


def sealed_by_an_earlier_release(kernel: Kernel, *ids: str) -> None:
    """Seal the commands that finished since the last seal and until the last of these, as releases
    did whose commands had no number."""
    before = kernel.seals.latest("commands")
    finished = select(func.max(command_log.c.finished_at)).where(command_log.c.command_id.in_(ids))
    moment = entries.moment(before.until)
    mine = (
        command_log.c.finished_at > moment,
        command_log.c.finished_at <= finished.scalar_subquery(),
    )
    change(kernel, update(command_log).where(*mine).values(seal=before.number + 1))
    with kernel.engines.write.connect() as connection:
        made = kernel.seals._next(connection, before, before.until)
    change(
        kernel,
        insert(seals).values(msgspec.structs.asdict(made)),
        update(command_log).where(*mine).values(seal=None),
    )


@pytest.mark.parametrize("adopted_by", [seal, faults], ids=["sealing", "verifying"])
def test_seals_of_an_earlier_release_go_on_to_verify(
    kernel: Kernel, adopted_by: Callable[[Kernel], object]
) -> None:
    """It sealed by time before an upgrade, and goes on beside this release."""
    for number in range(6):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id=f"{number}"))
    sealed_by_an_earlier_release(kernel, "0", "1")
    sealed_by_an_earlier_release(kernel, "2")
    adopted_by(kernel)
    old = {"0": 1, "1": 1, "2": 2}
    assert numbers(kernel, *old) == old
    assert faults(kernel) == []
    seal(kernel)
    for number in range(6, 8):
        kernel.commands.execute(Add(counter_id="b"), by_ana(command_id=f"{number}"))
    before = kernel.seals.latest("commands").number
    sealed_by_an_earlier_release(kernel, "6")
    adopted_by(kernel)
    assert numbers(kernel, "5", "6") == {"5": 3, "6": before + 1}
    seal(kernel)
    assert kernel.seals.latest("commands").entries == 8
    assert faults(kernel) == []


def test_a_command_that_was_changed_below_a_seal_of_an_earlier_release_is_found(
    kernel: Kernel,
) -> None:
    for number in range(3):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id=f"{number}"))
    sealed_by_an_earlier_release(kernel, "1")
    change(kernel, update(command_log).where(command_log.c.command_id == "0").values(type="Take"))
    assert [MOVED in each for each in faults(kernel)] == [True]
    seal(kernel)
    assert [MOVED in each for each in faults(kernel)] == [True]


def test_seals_are_adopted_a_bounded_number_of_commands_at_a_time(kernel: Kernel) -> None:
    for number in range(6):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id=f"{number}"))
    for number in range(5):
        sealed_by_an_earlier_release(kernel, f"{number}")
    assert sealer(kernel, most=2).extend() is True
    assert numbers(kernel, "1", "2") == {"1": 2, "2": None}
    assert faults(kernel) == []
