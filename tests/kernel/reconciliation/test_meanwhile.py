"""Comparing while the log goes on, with parked events, skipped events, and digests that are wrong
themselves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.projections.digests import kept
from cqrs_app.kernel.reconciliation.records import Reconciliation
from cqrs_app.kernel.store.tables import checkpoints, digests
from cqrs_app.platform.runtime.commands import SkipParkedEvent
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, counters

NAME = "counters"


@pytest.fixture
def kernel(kernel: Kernel) -> Kernel:
    for counter in ("a", "b", "poison"):
        add(kernel, counter, 3)
    kernel.runner.advance(NAME)
    return kernel


def add(kernel: Kernel, counter: str, times: int = 1) -> None:
    for _ in range(times):
        kernel.commands.execute(Add(counter_id=counter), by_ana())


def change(kernel: Kernel, counter: str, **values: Any) -> None:
    with kernel.engines.read.begin() as connection:
        here = counters.c.counter_id == counter
        connection.execute(update(counters).where(here).values(values))


def is_equal(kernel: Kernel) -> bool:
    compared = kernel.reconciler.compare(NAME)
    found = kernel.reconciler.prove([NAME])[NAME]
    return not (compared.has_drift or compared.problem or found.differs)


def test_parked_events_are_left_out_of_the_comparison_until_they_are_applied(
    kernel: Kernel,
) -> None:
    assert kernel.runner.cursors()[NAME].parked == 2
    assert is_equal(kernel)
    kernel.commands.execute(
        SkipParkedEvent(
            projection=NAME, stream="counter-poison", reason="It adds nothing to the counter."
        ),
        by_ana(),
    )
    kernel.runner.advance("projection_control")
    assert kernel.runner.cursors()[NAME].parked == 0
    assert is_equal(kernel)


def test_a_row_that_its_projection_has_written_since_is_not_repaired_over(kernel: Kernel) -> None:
    change(kernel, "a", value=100)
    change(kernel, "b", value=100)
    found = kernel.reconciler.prove([NAME])[NAME]
    assert found.count == 2
    add(kernel, "a")
    kernel.runner.advance(NAME)
    kernel.reconciler.repair(NAME, found)
    assert found.repaired == 1
    again = kernel.reconciler.prove([NAME])[NAME]
    assert [(each.key, each.fields) for each in again.differences] == [
        (("a",), {"value": (101, 4)})
    ]
    kernel.reconciler.repair(NAME, again)
    assert is_equal(kernel)


def test_rows_that_were_written_with_their_digest_but_not_by_the_events_are_found(
    kernel: Kernel,
) -> None:
    """As by a projection whose rules were wrong: the digest agrees with the rows."""
    change(kernel, "b", value=100)
    add(kernel, "b")
    kernel.runner.advance(NAME)
    with kernel.engines.read.begin() as connection:
        connection.execute(update(digests).values(rows=0, total="0" * 32, complete=False))
    assert kernel.reconciler.compare(NAME).has_drift is False
    assert kernel.reconciler.compare(NAME).has_drift is False
    found = kernel.reconciler.prove([NAME])[NAME]
    assert [(each.key, each.fields) for each in found.differences] == [
        (("b",), {"value": (101, 4)})
    ]
    kernel.reconciler.repair(NAME, found)
    assert is_equal(kernel)


@pytest.mark.parametrize(
    "change_digest",
    [
        update(digests).values(total="0" * 32),
        update(digests).values(rows=7),
        delete(digests),
    ],
    ids=["total", "rows", "gone"],
)
def test_a_digest_that_was_changed_is_found_and_corrected(
    kernel: Kernel, change_digest: Any
) -> None:
    with kernel.engines.read.begin() as connection:
        before = kept(connection, [counters])
        connection.execute(change_digest)
    compared: Reconciliation = kernel.reconciler.compare(NAME)
    assert compared.drifted == (counters.name,)
    found = kernel.reconciler.prove([NAME])[NAME]
    assert (found.count, found.differs) == (0, True)
    kernel.reconciler.repair(NAME, found)
    assert is_equal(kernel)
    with kernel.engines.read.connect() as connection:
        assert kept(connection, [counters]) == before


def test_rows_of_another_release_ask_for_a_rebuild(kernel: Kernel, engines: Engines) -> None:
    with engines.read.begin() as connection:
        connection.execute(update(checkpoints).values(version=99))
    assert kernel.reconciler.compare(NAME).problem.endswith("Rebuild counters.")
    assert kernel.reconciler.prove([NAME]) == {}


def test_what_was_compared_longest_ago_is_compared_with_its_events_first(kernel: Kernel) -> None:
    assert kernel.reconciler.to_prove([NAME]) == [NAME]
    before = kernel.reconciler.due(kernel.clock())
    assert before == [NAME]
    kernel.reconciler.compare(NAME)
    assert kernel.reconciler.due(None) == []
    assert kernel.reconciler.due(kernel.clock()) == [NAME]
    with kernel.reconciler.leased([NAME]):
        assert kernel.reconciler.due(kernel.clock()) == []
