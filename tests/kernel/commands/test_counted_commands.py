"""Statistics count what commands did: a repetition did nothing, and is counted as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.statistics import measured
from cqrs_app.kernel.store import Change
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Take


def counted(kernel: Kernel) -> dict[str, dict[str, int]]:
    """Results per command."""
    kernel.statistics.flush()
    with kernel.engines.write.connect() as connection:
        found = measured(connection, "command", kernel.clock() - timedelta(hours=1))
    return {each.name: each.results for each in found}


def items() -> list[tuple[Command, Context]]:
    """Two that are accepted and one that is refused; the same ids each time."""
    return [
        (Add(counter_id="a"), by_ana(command_id="1")),
        (Take(counter_id="a", amount=9), by_ana(command_id="2")),
        (Add(counter_id="b"), by_ana(command_id="3")),
    ]


def test_a_repeated_command_counts_as_repeated(kernel: Kernel) -> None:
    for _ in range(2):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="1"))
        with pytest.raises(Refused):
            kernel.commands.execute(Take(counter_id="a", amount=9), by_ana(command_id="2"))
    assert counted(kernel) == {
        "Add": {"succeeded": 1, "repeated": 1},
        "Take": {"refused": 1, "repeated": 1},
    }


def test_a_repeated_batch_counts_as_repeated(kernel: Kernel) -> None:
    kernel.commands.execute_batch(items())
    kernel.commands.execute_batch(items())
    assert counted(kernel) == {
        "Add": {"succeeded": 2, "repeated": 2},
        "Take": {"refused": 1, "repeated": 1},
    }


def test_two_writers_of_one_batch_at_once_count_each_command_once_as_done(kernel: Kernel) -> None:
    commit = kernel.store.commit
    first = [True]

    def commit_second(changes: Sequence[Change]) -> None:
        if first:
            first.pop()
            kernel.commands.execute_batch(items())
        commit(changes)

    kernel.store.commit = commit_second  # type: ignore[method-assign]
    kernel.commands.execute_batch(items())
    assert counted(kernel) == {
        "Add": {"succeeded": 2, "repeated": 2},
        "Take": {"refused": 1, "repeated": 1},
    }
