"""The carriers that orders were shipped with."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import Query, query

RECENT_ORDERS = 1_000
MOST_CARRIERS = 20


@query(label="Carriers", permission=VIEW, reads=("orders",), cached=True)
class RecentCarriers(Query):
    """The carriers of the 1,000 orders updated last, the most used first."""


def recent_carriers(question: RecentCarriers, connection: Connection) -> tuple[str, ...]:
    updated_last = orders.c.updated_at.desc(), orders.c.order_id.desc()
    recent = select(orders.c.carrier).order_by(*updated_last).limit(RECENT_ORDERS).subquery()
    found = (
        select(recent.c.carrier)
        .where(recent.c.carrier != "")
        .group_by(recent.c.carrier)
        .order_by(func.count().desc(), recent.c.carrier)
        .limit(MOST_CARRIERS)
    )
    return tuple(connection.execute(found).scalars())
