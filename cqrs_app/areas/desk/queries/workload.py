"""Who has how much: the orders that need action, by assignee and stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.desk.words import NEEDS_ACTION
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import Query, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The orders of an operator or of a team that need action, by the value of their stage;
    `oldest` is when the first of them was placed."""

    operator: str
    team: str
    stages: Mapping[str, int] = field(default_factory=dict)
    oldest: datetime

    @property
    def orders(self) -> int:
        return sum(self.stages.values())


@query(label="Workload", permission=VIEW, reads=("orders",), cached=True)
class Workloads(Query):
    """Operators first, then teams, each in alphabetical order."""


def workloads(question: Workloads, connection: Connection) -> tuple[Workload, ...]:
    return tuple(
        sorted(_counted(connection), key=lambda each: (not each.operator, each.operator, each.team))
    )


def _counted(connection: Connection) -> Iterator[Workload]:
    columns = orders.c
    for column in (columns.assignee, columns.team):
        found = (
            select(
                column.label("who"),
                columns.stage,
                func.count().label("orders"),
                func.min(columns.placed_at).label("oldest"),
            )
            .where(column != "", columns.stage.in_([str(stage) for stage in NEEDS_ACTION]))
            .group_by(column, columns.stage)
        )
        rows = connection.execute(found).all()
        for who in {row.who for row in rows}:
            mine = [row for row in rows if row.who == who]
            yield Workload(
                operator=who if column is columns.assignee else "",
                team=who if column is columns.team else "",
                stages={row.stage: row.orders for row in mine},
                oldest=min(row.oldest for row in mine),
            )
