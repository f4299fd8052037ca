"""Fulfilment: the process manager that sees an approved order through. It knows several areas; none
of them knows it."""

from __future__ import annotations

from cqrs_app.areas.fulfilment import commands as do
from cqrs_app.areas.fulfilment import queries
from cqrs_app.areas.fulfilment.decisions import FulfilmentDecisions, ProcessOf, guard
from cqrs_app.areas.fulfilment.events import EVENTS, UPCASTERS
from cqrs_app.areas.fulfilment.projection import FulfilmentProjection
from cqrs_app.areas.fulfilment.retired_events import RETIRED_EVENTS
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel.registry import Area

_OVER = {"nothing_to_do": "Nobody sees to this order, or it is at its end."}


def fulfilment_area(process_of: ProcessOf, *, enabled: bool) -> Area:
    """The area; `enabled` off: nobody is kept from shipping."""
    return Area(
        name="fulfilment",
        handles={
            FulfilmentDecisions: {
                do.RetryFulfilment: FulfilmentDecisions.retry,
                do.SkipFulfilmentStep: FulfilmentDecisions.skip,
                do.CancelFulfilment: FulfilmentDecisions.cancel,
            }
        },
        refusals={
            do.RetryFulfilment: _OVER,
            do.SkipFulfilmentStep: _OVER
            | {"not_at_this_step": "The order does not wait at this step."},
            do.CancelFulfilment: _OVER
            | {
                "being_undone": "It is being undone already.",
                "goods_sent": "Some of its goods have left.",
            },
            ShipOrder: {"not_released": "Its goods are not reserved, or it is not paid."},
        },
        events=[*EVENTS, *RETIRED_EVENTS],
        upcasters=UPCASTERS,
        projections=[FulfilmentProjection()],
        answers={
            queries.ListFulfilments: queries.list_fulfilments,
            queries.FulfilmentStages: queries.fulfilment_stages,
            queries.FollowerStatus: queries.follower_status,
            queries.GetFulfilmentSteps: queries.get_fulfilment_steps,
            queries.GetFulfilment: queries.get_fulfilment,
        },
        middleware=[guard(process_of, enabled=enabled)],
    )
