"""Fulfilment: the process manager that takes an approved order to its end. It imports several
areas; none of them imports it.
"""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.areas.fulfilment import queries
from cqrs_app.areas.fulfilment.codec import EVENT_TYPES
from cqrs_app.areas.fulfilment.consequences import follow_ups
from cqrs_app.areas.fulfilment.decisions import (
    FulfilmentDecisions,
    ProcessOf,
    decided_in_time,
    released_first,
)
from cqrs_app.areas.fulfilment.events import UPCASTERS
from cqrs_app.areas.fulfilment.projection import FulfilmentProjection
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.types import Policy
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel import Area, BackgroundTask, projected


def fulfilment_area(
    process_of: ProcessOf,
    policy: Policy,
    *,
    enabled: bool,
    tasks: Sequence[BackgroundTask] = (),
) -> Area:
    """The area. `process_of` finds an order's process; `policy` applies to orders that begin from
    now on. `enabled=False`: no process begins, and shipping is never blocked.
    """
    return Area(
        name="fulfilment",
        aggregates=[FulfilmentDecisions],
        rules={ShipOrder: released_first(process_of)} if enabled else {},
        events=EVENT_TYPES,
        upcasters=UPCASTERS,
        projections=[FulfilmentProjection()],
        subscriptions=[FulfilmentSubscription(policy, enabled=enabled)],
        tasks=tasks,
        answers={
            queries.ListFulfilments: projected(queries.list_fulfilments),
            queries.FulfilmentStages: projected(queries.fulfilment_stages),
            queries.OrdersWaitingFor: projected(queries.orders_waiting_for),
            queries.FollowerStatus: projected(queries.follower_status),
            queries.GetFulfilmentSteps: projected(queries.get_fulfilment_steps),
            queries.GetFulfilment: projected(queries.get_fulfilment),
        },
        middleware=[decided_in_time(process_of)],
        consequences=[follow_ups(process_of, policy)] if enabled else [],
    )
