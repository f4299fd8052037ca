"""A delayed command waits, can be withdrawn, and is then carried out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import NotAllowed, Refused
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.kernel.subscriptions.leases import Lease
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Take, Touch

LONG = 50.0


def postpone(kernel: Kernel, command_id: str, seconds: float = LONG, counter: str = "a") -> None:
    receipt = kernel.commands.postpone(
        Add(counter_id=counter), by_ana(command_id=command_id), seconds
    )
    assert receipt.status == "queued"


def make_due(kernel: Kernel, command_id: str) -> None:
    past = Lease(timedelta(seconds=-1)).end()
    due = update(command_log).where(command_log.c.command_id == command_id)
    with kernel.engines.write.begin() as connection:
        connection.execute(due.values(not_before=past))


def outcome(kernel: Kernel, command_id: str) -> str:
    entry = kernel.log.find(command_id)
    assert entry is not None
    return entry.outcome


def waiting(kernel: Kernel) -> list[str]:
    return kernel.log.waiting(kernel.clock() + timedelta(hours=1))


def test_it_waits_until_it_is_due_and_is_then_carried_out_without_patience(kernel: Kernel) -> None:
    postpone(kernel, "one")
    assert kernel.commands.run_queued("one") is None
    assert waiting(kernel) == []
    make_due(kernel, "one")
    assert kernel.log.waiting(kernel.clock() - timedelta(hours=1)) == ["one"]
    done = kernel.commands.run_queued("one")
    assert done is not None and done.status == "succeeded"
    assert kernel.commands.run_queued("one") is None
    assert kernel.store.head() == 1


def test_it_is_due_by_the_clock_of_the_database(kernel: Kernel) -> None:
    postpone(kernel, "one", seconds=0.05)
    deadline = kernel.clock() + timedelta(seconds=10)
    while not waiting(kernel) and kernel.clock() < deadline:
        pass
    assert kernel.commands.run_queued("one") is not None


def test_until_it_is_due_it_holds_up_nothing_and_then_keeps_its_place(kernel: Kernel) -> None:
    postpone(kernel, "delayed")
    kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id="now"))
    done = kernel.commands.run_queued("delayed")
    assert done is not None and done.command_id == "now"
    kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id="later"))
    make_due(kernel, "delayed")
    done = kernel.commands.run_queued("later")
    assert done is not None and done.command_id == "delayed"


def test_one_that_is_withdrawn_is_never_carried_out_and_its_row_says_who_did_it(
    kernel: Kernel,
) -> None:
    postpone(kernel, "one")
    kernel.commands.withdraw("one", by_ben())
    make_due(kernel, "one")
    assert kernel.commands.run_queued("one") is None
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.code, entry.operator) == ("refused", "withdrawn", "ana")
    assert entry.sentence == "Undone by ben before it was carried out."
    assert entry.finished_at is not None
    assert kernel.store.head() == 0


def by_ben(*permissions: str) -> Context:
    actor = Actor("ben", frozenset(permissions) or by_ana().actor.permissions)
    return Context(actor=actor, channel="test")


def test_nobody_withdraws_what_is_running_done_withdrawn_or_not_delayed(kernel: Kernel) -> None:
    postpone(kernel, "running")
    make_due(kernel, "running")
    assert kernel.log.take("running") is not None
    kernel.commands.enqueue(Add(counter_id="b"), by_ana(command_id="queued"))
    postpone(kernel, "done", counter="c")
    make_due(kernel, "done")
    kernel.commands.run_queued("done")
    postpone(kernel, "withdrawn", counter="d")
    kernel.commands.withdraw("withdrawn", by_ana())
    for command_id in ("running", "queued", "done", "withdrawn", "unknown"):
        with pytest.raises(Refused, match="already"):
            kernel.commands.withdraw(command_id, by_ana())
    assert outcome(kernel, "queued") == "queued"
    assert outcome(kernel, "done") == "succeeded"


def test_who_may_not_send_it_may_not_withdraw_it(kernel: Kernel) -> None:
    postpone(kernel, "one")
    with pytest.raises(NotAllowed):
        kernel.commands.withdraw("one", by_ben("nothing"))
    assert outcome(kernel, "one") == "queued"


def test_what_would_be_refused_now_is_refused_now_and_logged(kernel: Kernel) -> None:
    with pytest.raises(Refused):
        kernel.commands.postpone(Take(counter_id="a", amount=1), by_ana(command_id="no"), LONG)
    assert outcome(kernel, "no") == "refused"
    with pytest.raises(NotAllowed):
        kernel.commands.postpone(Add(counter_id="a"), by_ben("nothing"), LONG)


def test_the_same_command_waits_once_for_a_stream(kernel: Kernel) -> None:
    postpone(kernel, "one")
    again = kernel.commands.postpone(Add(counter_id="a"), by_ana(command_id="two"), LONG)
    assert (again.command_id, again.repeated) == ("one", True)
    assert kernel.log.find("two") is None


def test_of_different_commands_each_waits_for_the_stream_and_is_answered_as_itself(
    kernel: Kernel,
) -> None:
    postpone(kernel, "add")
    kernel.commands.postpone(Touch(counter_id="a"), by_ana(command_id="touch"), LONG)
    again = [
        kernel.commands.postpone(command, by_ana(), LONG).command_id
        for command in (Add(counter_id="a"), Touch(counter_id="a"))
    ]
    assert again == ["add", "touch"]


def test_of_several_sent_in_the_same_instant_one_waits(kernel: Kernel) -> None:
    start = Barrier(4)

    def send(command_id: str) -> str:
        start.wait(timeout=60)
        context = by_ana(command_id=command_id)
        return kernel.commands.postpone(Add(counter_id="a"), context, LONG).command_id

    with ThreadPoolExecutor(max_workers=4) as pool:
        answered = set(pool.map(send, ["one", "two", "three", "four"]))
    assert len(answered) == 1
    found = kernel.log.find_many(["one", "two", "three", "four"])
    assert found.keys() == answered


def test_after_one_was_carried_out_or_withdrawn_another_may_wait(kernel: Kernel) -> None:
    postpone(kernel, "one")
    make_due(kernel, "one")
    kernel.commands.run_queued("one")
    postpone(kernel, "two")
    kernel.commands.withdraw("two", by_ana())
    postpone(kernel, "three")
    assert outcome(kernel, "three") == "queued"


def test_who_may_not_send_it_does_not_learn_that_it_waits(kernel: Kernel) -> None:
    postpone(kernel, "one")
    with pytest.raises(NotAllowed):
        kernel.commands.postpone(Add(counter_id="a"), by_ben("nothing"), LONG)


def test_without_a_delay_it_is_carried_out_at_once(kernel: Kernel) -> None:
    receipt = kernel.commands.postpone(Add(counter_id="a"), by_ana(command_id="one"), 0)
    assert receipt.status == "succeeded"
