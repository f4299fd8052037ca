"""A projection whose code changed, deployed beside the live rows while readers poll."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.queries.context import Answer
from cqrs_app.platform.runtime.commands import (
    DropGeneration,
    RebuildBeside,
    SwapProjection,
    SwitchBack,
)
from tests.kernel.conftest import ASKER
from tests.kernel.projections.test_generations import act, new_shop
from tests.kernel.projections.test_projections import add
from tests.kernel.shop import CounterView, GetCounter

DEPLOYMENTS = 3


@dataclass
class Writer:
    """Adds to the counter, and has both releases follow."""

    old: Kernel
    new: Kernel
    written: int = 0
    """What every answer that lacks no event includes."""

    def write(self) -> None:
        add(self.old, "a")
        self.written += 1
        for kernel in (self.old, self.new):
            kernel.runner.advance("counters")


@dataclass
class Reader:
    """Polls one release, in which a counter is `worth` so much, and notes what is wrong."""

    kernel: Kernel
    worth: int
    writer: Writer
    done: threading.Event
    problems: list[str] = field(default_factory=list)
    current: int = 0

    def poll(self) -> None:
        while not self.done.is_set() and not self.problems:
            before = self.writer.written
            try:
                answer = self.kernel.queries.ask(GetCounter(counter_id="a"), ASKER)
            except Exception as error:  # noqa: BLE001 - the test fails with it
                self.problems.append(repr(error))
            else:
                self.look_at(answer, before)

    def look_at(self, answer: Answer[CounterView | None], before: int) -> None:
        row, freshness = answer.value, answer.freshness
        if freshness.state in ("failed", "rebuilding"):
            return
        if row is None or row.value != self.worth * row.applied_version:
            self.problems.append(f"wrong where it is worth {self.worth}: {answer}")
        elif not freshness.lag_events and row.applied_version < before:
            self.problems.append(f"stale without a mark: {answer}")
        elif freshness.state == "current":  # on a busy machine also "behind" or "stale"
            self.current += 1


def test_readers_see_right_rows_or_marked_ones_at_every_moment_of_a_deployment(
    make_kernel: Callable[..., Kernel],
) -> None:
    old, done = make_kernel(), threading.Event()
    new = make_kernel(area=new_shop())
    writer = Writer(old, new)
    writer.write()
    readers = [Reader(old, 1, writer, done), Reader(new, 2, writer, done)] * 2
    threads = [threading.Thread(target=reader.poll) for reader in readers]
    for thread in threads:
        thread.start()
    for _ in range(DEPLOYMENTS):
        act(new, RebuildBeside(projection="counters"))
        for _ in range(2):
            new.builder.work(0.001)
            writer.write()
        while new.builder.work(10):
            pass
        act(new, SwapProjection(projection="counters", accept_differences=1))
        writer.write()
        old.runner.follow("counters")
        act(old, SwitchBack(projection="counters"))
        writer.write()
        act(new, DropGeneration(projection="counters"))
    done.set()
    for thread in threads:
        thread.join()
    assert [reader.problems for reader in readers] == [[]] * 4
    assert all(reader.current for reader in readers)
