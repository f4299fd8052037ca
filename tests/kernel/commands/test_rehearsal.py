"""Dry runs, and history that is accepted against a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.aggregate import Decision
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.commands.previews import BATCH_CHUNK
from cqrs_app.kernel.errors import Refused, SwitchedOff
from cqrs_app.kernel.messages.messages import Command, Event
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Added, Counter, Take, shop

LONG_AGO = datetime(2010, 12, 1, tzinfo=UTC)


def test_a_rehearsal_answers_like_the_batch_and_writes_nothing(kernel: Kernel) -> None:
    kernel.commands.execute(Add(counter_id="b", amount=1), by_ana(command_id="earlier"))
    items = [
        (Add(counter_id="a", amount=3), by_ana(command_id="1")),
        (Take(counter_id="a", amount=2, twice=True), by_ana(command_id="2")),
        (Take(counter_id="a", amount=3), by_ana(command_id="3")),
        (Add(counter_id="b", amount=1), by_ana(command_id="earlier")),
        (Add(counter_id="c"), Context(actor=Actor("eve"), channel="test", command_id="4")),
    ]
    foreseen = kernel.commands.rehearse(items)
    assert kernel.store.head() == 1
    assert kernel.log.find_many(["1", "2", "3", "4"]) == {}
    outcomes = kernel.commands.execute_batch(items)
    for each, outcome in zip(foreseen, outcomes, strict=True):
        assert type(each.error) is type(outcome.error)
        if each.receipt and outcome.receipt:
            assert each.receipt.version == outcome.receipt.version
            assert each.receipt.repeated == outcome.receipt.repeated
            assert each.events == () or tuple(e.type for e in each.events) == each.receipt.events
    assert [len(each.events) for each in foreseen] == [1, 0, 1, 0, 0]


def test_a_rehearsal_remembers_what_earlier_chunks_would_lead_to(kernel: Kernel) -> None:
    many: list[tuple[Command, Context]] = [
        (Add(counter_id="a"), by_ana()) for _ in range(BATCH_CHUNK + 1)
    ]
    *_, last = kernel.commands.rehearse([*many, (Take(counter_id="a", amount=len(many)), by_ana())])
    assert last.receipt is not None
    assert last.receipt.version == len(many) + 1
    assert kernel.store.head() == 0


def test_a_bus_that_is_switched_off_rehearses_nothing(make_kernel: Callable[..., Kernel]) -> None:
    kernel = make_kernel(commands=BusOptions(enabled=False))
    with pytest.raises(SwitchedOff):
        kernel.commands.rehearse([(Add(counter_id="a"), by_ana())])


@dataclass
class Lenient(Counter):
    """Objects to counting twice, and takes it for one when it is history."""

    @handles(Add)
    def add(self, command: Add) -> Decision:
        if self.value:
            yield Refused("counted", "This was counted already.")
        yield Added(counter_id=command.counter_id, amount=command.amount)

    def flag(self, objection: Refused, command: Command) -> Event:
        return Added(counter_id="flagged", amount=1)


@dataclass
class Strict(Lenient):
    """Objects, and has no flag."""

    def flag(self, objection: Refused, command: Command) -> Event:
        return Counter.flag(self, objection, command)


def historian(**rest: str) -> Context:
    actor = Actor("importer", frozenset({"counters.change", HISTORY}))
    return Context(actor=actor, channel="import", occurred_at=LONG_AGO)


def with_two(make_kernel: Callable[..., Kernel], counter: type[Lenient]) -> Kernel:
    kernel = make_kernel(area=shop(counter))
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    return kernel


def test_an_objection_refuses_what_happens_now_and_flags_what_happened(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = with_two(make_kernel, Lenient)
    with pytest.raises(Refused, match="counted already"):
        kernel.commands.execute(Add(counter_id="a"), by_ana())
    receipt = kernel.commands.execute(Add(counter_id="a", amount=5), historian())
    assert receipt.events == ("Added", "Added")
    assert [event.occurred_at for event in kernel.store.events_of("counter-a")][1:] == [
        LONG_AGO
    ] * 2


def test_an_aggregate_without_flags_refuses_history_too(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = with_two(make_kernel, Strict)
    with pytest.raises(Refused, match="counted already"):
        kernel.commands.execute(Add(counter_id="a"), historian())
    assert kernel.store.head() == 1
