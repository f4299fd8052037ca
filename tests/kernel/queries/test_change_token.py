"""A text that says whether anything can have changed."""

from __future__ import annotations

import pytest

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.queries.change_token import HELD_SECONDS, ChangeToken
from cqrs_app.platform.runtime.commands import PauseProjection
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add


class Clock:
    """Advances only on command."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def tick(self) -> None:
        self.now += 2 * HELD_SECONDS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standing(kernel: Kernel, clock: Clock) -> ChangeToken:
    kernel.runner.prepare()
    return ChangeToken(kernel.engines.query, kernel.store, clock)


def test_it_stays_while_nothing_happens(standing: ChangeToken, clock: Clock) -> None:
    before = standing.of("counters")
    clock.tick()
    assert standing.of("counters") == before


def test_a_commit_changes_it_and_so_does_showing_it(
    kernel: Kernel, standing: ChangeToken, clock: Clock
) -> None:
    seen = [standing.of("counters")]
    for happens in (
        lambda: kernel.commands.execute(Add(counter_id="a"), by_ana()),
        lambda: kernel.runner.advance("counters"),
        lambda: kernel.commands.execute(PauseProjection(projection="counters"), by_ana()),
    ):
        happens()
        clock.tick()
        seen.append(standing.of("counters"))
    assert len(set(seen)) == 4


def test_it_is_held_from_before_the_databases_were_read(
    kernel: Kernel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = ChangeToken(kernel.engines.query, kernel.store, clock)
    head = kernel.store.head

    def slow_head() -> int:
        """What is committed after it is read is not in the token."""
        found = head()
        clock.tick()
        return found

    monkeypatch.setattr(kernel.store, "head", slow_head)
    before = standing.of("counters")
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    assert standing.of("counters") != before


def test_it_is_held_for_a_moment_only(kernel: Kernel, standing: ChangeToken, clock: Clock) -> None:
    before = standing.of("counters")
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    assert standing.of("counters") == before
    clock.tick()
    assert standing.of("counters") != before
