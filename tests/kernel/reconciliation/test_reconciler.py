"""Whatever is wrong with the rows of a read model is found, named and repaired."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.projections.bulk import key_of
from cqrs_app.kernel.reconciliation.reconciler import Found
from cqrs_app.services import services_of
from tests.kernel.reconciliation.corruption import CORRUPTIONS, rows_of


@pytest.fixture(scope="module")
def kernel(shared_shop: Flask) -> Kernel:
    made: Kernel = services_of(shared_shop).kernel
    return made


def everything(kernel: Kernel) -> dict[Table, list[dict[str, Any]]]:
    with kernel.engines.read.connect() as connection:
        return {
            table: list(rows_of(connection, table))
            for projection in kernel.registry.projections.values()
            for table in projection.tables
        }


def _key_in(table: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key_of(table))


def repaired(kernel: Kernel, names: Sequence[str]) -> dict[str, Found]:
    """What differed from the events, and does no more."""
    found = kernel.reconciler.prove(names)
    for name, each in found.items():
        kernel.reconciler.repair(name, each)
    return found


def test_read_models_that_nobody_touched_are_proven_equal(kernel: Kernel) -> None:
    for name in kernel.registry.projections:
        compared = kernel.reconciler.compare(name)
        assert (compared.problem, compared.has_drift) == ("", False)
    proven = kernel.reconciler.prove([*kernel.registry.projections])
    assert {name for name, found in proven.items() if found.count or found.missing} == set()
    assert proven["orders"].position == kernel.store.head()
    for name, record in kernel.reconciler.records().items():
        assert record.rows == proven[name].rows
        assert record.proven_position == proven[name].position


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda each: each.__name__)
def test_a_corruption_of_every_table_is_found_named_and_repaired(
    kernel: Kernel, corrupt: Any
) -> None:
    before, chance = everything(kernel), random.Random(14)
    projections = kernel.registry.projections
    planted: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name in projections}
    with kernel.engines.read.begin() as connection:
        for name, projection in projections.items():
            for table in projection.tables:
                if before[table]:
                    key = corrupt(connection, table, before[table], chance)
                    if key is not None:
                        planted[name][table.name] = key
    compared = {name: kernel.reconciler.compare(name) for name in projections}
    assert {name: {*each.drifted} for name, each in compared.items()} == {
        name: {*tables} for name, tables in planted.items()
    }
    found = repaired(kernel, [*projections])
    for name, tables in planted.items():
        named = {(each.table.name, each.key) for each in found[name].differences}
        assert named >= set(tables.items())
        assert {table for table, _ in named} == {*tables}
        assert found[name].repaired == found[name].count
    assert everything(kernel) == before
    for name in projections:
        assert not kernel.reconciler.compare(name).has_drift


@pytest.mark.parametrize("seed", [0, None])
def test_corruptions_planted_at_random_are_all_found_named_and_repaired(
    kernel: Kernel, seed: int | None
) -> None:
    seed = secrets.randbits(32) if seed is None else seed
    chance, before = random.Random(seed), everything(kernel)
    owners = {t: p.name for p in kernel.registry.projections.values() for t in p.tables}
    planted: list[tuple[str, str, tuple[Any, ...]]] = []
    with kernel.engines.read.begin() as connection:
        for table in chance.sample([each for each in before if before[each]], 10):
            key = None
            while key is None:
                corrupt = chance.choice(CORRUPTIONS)
                key = corrupt(connection, table, before[table], chance)
            planted.append((owners[table], table.name, key))
    names = [*kernel.registry.projections]
    drifted = {(name, each) for name in names for each in kernel.reconciler.compare(name).drifted}
    assert drifted == {(name, table) for name, table, _ in planted}, f"seed {seed}"
    found = repaired(kernel, names)
    named = {(n, d.table.name, d.key) for n, each in found.items() for d in each.differences}
    assert named >= set(planted), f"seed {seed}"
    rows = {(t.name, _key_in(t, row)): row for t, each in before.items() for row in each}
    for each in (d for one in found.values() for d in one.differences if d.kind == "changed"):
        right = {name: right for name, (_, right) in each.fields.items()}
        assert right, f"seed {seed}: no field of {each.table.name} {each.key} is named"
        held = rows[each.table.name, each.key]
        assert {name: held[name] for name in right} == right, f"seed {seed}"
    assert everything(kernel) == before, f"seed {seed}"
