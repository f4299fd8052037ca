"""Which actions an order allows. Queries about orders are in desk."""

from __future__ import annotations

from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Query, query


@query(label="What may be done", permission=VIEW)
class OrderActions(Query):
    """The actions on one order, each allowed or with the reason why not; decided by its events."""

    order_id: OrderId
