"""Queued commands of one stream: in the order in which they were accepted, never two at once."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from msgspec import structs
from sqlalchemy import select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import command_log
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Take, shop
from tests.leases import end_leases


def enqueue(kernel: Kernel, *command_ids: str, counter: str = "a") -> None:
    for command_id in command_ids:
        kernel.commands.enqueue(Add(counter_id=counter), by_ana(command_id=command_id))


def test_whichever_is_woken_the_first_accepted_of_its_stream_runs(kernel: Kernel) -> None:
    enqueue(kernel, "z", "y", "x")
    enqueue(kernel, "other", counter="b")
    done = [kernel.commands.run_queued("x") for _ in range(4)]
    assert [each and each.command_id for each in done] == ["z", "y", "x", None]
    assert kernel.log.find("other").outcome == "queued"  # type: ignore[union-attr]


def test_the_next_waits_while_the_one_before_runs(kernel: Kernel) -> None:
    enqueue(kernel, "one", "two")
    enqueue(kernel, "other", counter="b")
    running = kernel.log.take("two")
    assert running is not None and running.command_id == "one"
    assert kernel.log.take("two") is None
    assert kernel.log.take("other") is not None
    end_leases(kernel.engines.write, command_log.c.lease_until)
    again = kernel.log.take("two")
    assert again is not None and again.command_id == "one"


def test_a_refusal_does_not_hold_up_those_behind_it(kernel: Kernel) -> None:
    take = Take(counter_id="a", amount=1)
    kernel.commands.enqueue(take, by_ana(command_id="refused"))
    enqueue(kernel, "after")
    with pytest.raises(Refused):
        kernel.commands.run_queued("after")
    done = kernel.commands.run_queued("after")
    assert done is not None and done.command_id == "after"


def test_one_of_an_earlier_release_which_has_no_number_comes_first(kernel: Kernel) -> None:
    enqueue(kernel, "numbered", "earlier")
    with kernel.engines.write.begin() as connection:
        earlier = update(command_log).where(command_log.c.command_id == "earlier")
        connection.execute(earlier.values(queue_number=None))
    done = kernel.commands.run_queued("numbered")
    assert done is not None and done.command_id == "earlier"


def test_while_commands_are_switched_off_queued_ones_wait(
    kernel: Kernel, make_kernel: Callable[..., Kernel]
) -> None:
    enqueue(kernel, "one")
    off = make_kernel(commands=BusOptions(enabled=False))
    assert off.commands.run_queued("one") is None
    assert kernel.commands.run_queued("one") is not None


def test_many_runners_keep_the_order_of_every_stream(make_kernel: Callable[..., Kernel]) -> None:
    began: dict[str, list[str]] = defaultdict(list)

    def watch(call: Call, following: Callable[[Call], Receipt]) -> Receipt:
        began[call.stream].append(call.context.command_id)
        return following(call)

    area = replace(shop(), middleware=[watch])
    kernels = [make_kernel(area=area) for _ in range(4)]
    accepted: dict[str, list[str]] = defaultdict(list)
    for number in range(60):
        counter = f"c{number % 3}"
        enqueue(kernels[number % 4], f"{number:03}", counter=counter)
        accepted[f"counter-{counter}"].append(f"{number:03}")
    jobs = [command_id for each in accepted.values() for command_id in each]
    Random(7).shuffle(jobs)

    def work(kernel: Kernel, mine: list[str]) -> None:
        for command_id in mine:
            while kernel.commands.run_queued(command_id) is not None:
                pass

    threads = [
        threading.Thread(target=work, args=(kernel, jobs[start::4]))
        for start, kernel in enumerate(kernels)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert began == accepted
    with kernels[0].engines.write.connect() as connection:
        rows = connection.execute(select(command_log.c.outcome, command_log.c.attempts))
        assert {tuple(row) for row in rows} == {("succeeded", 1)}


def test_those_that_wait_longest_are_carried_out_first(kernel: Kernel) -> None:
    for number, command_id in enumerate(("c", "b", "a")):
        enqueue(kernel, command_id, counter=str(number))
    earlier = kernel.clock() - timedelta(hours=1)
    with kernel.engines.write.begin() as connection:
        last = update(command_log).where(command_log.c.command_id == "a")
        connection.execute(last.values(received_at=earlier))
    later = kernel.clock() + timedelta(seconds=1)
    assert kernel.log.waiting(later, limit=2) == ["a", "c"]


def test_an_outcome_is_written_over_an_unfinished_row_of_the_same_sender_only(
    kernel: Kernel,
) -> None:
    enqueue(kernel, "one")
    queued = kernel.log.find("one")
    assert queued is not None
    kernel.log.record(structs.replace(queued, operator="eve", outcome="refused"))
    assert kernel.log.find("one") == queued
    for outcome in ("refused", "failed"):
        kernel.log.record(structs.replace(queued, outcome=outcome))
    assert kernel.log.find("one") == structs.replace(queued, outcome="refused")
