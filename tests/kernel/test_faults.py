"""A database that fails at any of its calls: everything is done whole or not at all, and once. And
a clock that jumps: the order is that of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.store.tables import claims, parked_events
from tests.kernel.club import Join, club
from tests.kernel.conftest import ASKER, by_ana
from tests.kernel.shop import Add, GetCounter, counters, shop
from tests.services.faults import Fault

pytestmark = pytest.mark.usefixtures("faulty_databases")
LEAST_CALLS, MOST_CALLS = 3, 60


@pytest.fixture(params=[False, True], ids=["not carried out", "answer lost"])
def each_fault(request: pytest.FixtureRequest) -> Callable[[], Iterator[tuple[int, Fault]]]:
    """Each call of what is done in its loop fails once, then none does."""

    def made() -> Iterator[tuple[int, Fault]]:
        for number in range(1, MOST_CALLS):
            fault = Fault(number, request.param)
            yield number, fault
            if not fault.happened:
                assert number > LEAST_CALLS
                return
        raise AssertionError("There are more calls.")

    return made


def claimed(kernel: Kernel) -> int:
    with kernel.engines.write.connect() as connection:
        return connection.execute(select(func.count()).select_from(claims)).scalar_one()


def join(number: int) -> Command:
    return Join(member_id=str(number), email=f"{number}@example.org")


def add(number: int) -> Command:
    return Add(counter_id=str(number))


@pytest.mark.parametrize(
    ("area", "command", "category", "claiming"),
    [(club, join, "member", 1), (shop, add, "counter", 0)],
)
def test_a_command_is_done_whole_or_not_at_all_and_once(
    make_kernel: Callable[..., Kernel],
    each_fault: Callable[[], Iterator[tuple[int, Fault]]],
    area: Callable[[], Area],
    command: Callable[[int], Command],
    category: str,
    claiming: int,
) -> None:
    kernel = make_kernel(area=area())
    for number, fault in each_fault():
        context, stream = by_ana(command_id=new_id()), f"{category}-{number}"
        with fault, suppress(DBAPIError):
            kernel.commands.execute(command(number), context)
        found, entry = kernel.store.events_of(stream), kernel.log.find(context.command_id)
        done = entry is not None and entry.outcome == "succeeded"
        assert (len(found), kernel.store.versions_of([stream])) == (
            done,
            {stream: 1} if done else {},
        )
        assert claimed(kernel) == claiming * (number - 1 + done)
        again = kernel.commands.execute(command(number), context)
        assert (again.version, again.repeated) == (1, done)
        assert len(kernel.store.events_of(stream)) == 1
        assert claimed(kernel) == claiming * number
    assert [report.fault for report in kernel.verify_logs() if report.fault] == []


def test_a_projection_takes_in_each_event_once(
    kernel: Kernel, each_fault: Callable[[], Iterator[tuple[int, Fault]]]
) -> None:
    kernel.runner.advance("counters")
    for number, fault in each_fault():
        kernel.commands.execute(Add(counter_id="c"), by_ana())
        with fault, suppress(DBAPIError):
            kernel.runner.advance("counters")
        kernel.runner.advance("counters")
        with kernel.engines.read.connect() as connection:
            rows = connection.execute(select(counters.c.value, counters.c.applied_version)).all()
            assert rows == [(number, number)]
            assert connection.execute(select(parked_events)).all() == []


JUMPS = [timedelta(), timedelta(days=1), timedelta(days=-400), timedelta(seconds=50), timedelta()]


def test_a_clock_that_jumps_changes_no_order(make_kernel: Callable[..., Kernel]) -> None:
    ahead = timedelta()
    kernel = make_kernel(clock=lambda: datetime.now(UTC) + ahead)
    for ahead in JUMPS:  # noqa: B007 - the clock reads it
        kernel.commands.execute(Add(counter_id="c"), by_ana())
        kernel.seals.extend()
        assert kernel.runner.advance("counters") == 1
        freshness = kernel.queries.ask(GetCounter(counter_id="c"), ASKER).freshness
        assert (freshness.lag_events, freshness.lag_seconds, freshness.state) == (0, 0, "current")
    stored = kernel.store.follow(0, 10)
    assert [each.version for each in stored] == [1, 2, 3, 4, 5]
    assert sorted(each.recorded_at for each in stored) != [each.recorded_at for each in stored]
    with kernel.engines.read.connect() as connection:
        row = connection.execute(select(counters.c.value, counters.c.applied_version)).one()
    assert row == (5, 5)
    assert "counters" not in kernel.runner.behind()
    assert kernel.seals.latest("commands").entries == len(JUMPS)
    assert [each for each in kernel.verify_logs() if each.fault] == []
