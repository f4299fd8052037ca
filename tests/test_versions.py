"""Every event of a thing moves the version of its row: a page would show the row as pending for
good otherwise."""

from __future__ import annotations

import pytest
from sqlalchemy import Table

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.registry import Area

AREAS = build_registry().areas
BY_NAME = {area.name: area for area in AREAS}
DESK, ORDERS = BY_NAME["desk"], BY_NAME["orders"]

OWNERS = [
    pytest.param(area, aggregate, projection, table, id=f"{projection.name}-{table.name}")
    for area in AREAS
    for aggregate in area.aggregates
    for reader in AREAS
    if reader is area or (reader, area) == (DESK, ORDERS)
    for projection in reader.projections
    for table in projection.tables
    if {"applied_version", aggregate.identity} <= set(table.c.keys())
]


def test_the_rows_of_all_areas_are_looked_at() -> None:
    tables = {param.values[3].name for param in OWNERS}  # type: ignore[attr-defined]
    assert {"orders", "products", "payments", "customer_profiles", "credit_notes"} <= tables


@pytest.mark.parametrize(("area", "aggregate", "projection", "table"), OWNERS)
def test_each_event_that_names_the_thing_is_taken_in_where_its_row_is(
    area: Area, aggregate: type[Aggregate], projection: Projection, table: Table
) -> None:
    naming = {event.__name__ for event in area.event_types if aggregate.identity in hints_of(event)}
    assert naming
    assert naming <= projection.handlers.keys()
