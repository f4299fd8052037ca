"""Fulfilment: the process manager that sees an approved order through. It knows several areas; none
of them knows it."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.areas.fulfilment import events, queries
from cqrs_app.areas.fulfilment.guard import WayOf, released_first
from cqrs_app.areas.fulfilment.order_way import OrderWay
from cqrs_app.areas.fulfilment.projection import FulfilmentProjection
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel.queries.answers import from_state, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask


def fulfilment_area(way_of: WayOf, tasks: Sequence[BackgroundTask] = ()) -> Area:
    """The area; `way_of` finds an order's way by the order's number."""
    return Area(
        name="fulfilment",
        aggregates=[OrderWay],
        rules={ShipOrder: released_first(way_of)},
        events=events,
        projections=[FulfilmentProjection()],
        tasks=tasks,
        answers={
            queries.ListFulfilments: projected(queries.list_fulfilments),
            queries.FulfilmentStages: projected(queries.fulfilment_stages),
            queries.FollowerStatus: projected(queries.follower_status),
            queries.GetFulfilmentSteps: projected(queries.get_fulfilment_steps),
            queries.GetFulfilment: from_state(OrderWay, queries.get_fulfilment),
        },
    )
