"""Fulfilment: the process manager that sees an approved order through. It knows several areas; none
of them knows it."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.areas.fulfilment import commands as do
from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment import queries
from cqrs_app.areas.fulfilment.guard import WayOf, released_first
from cqrs_app.areas.fulfilment.order_way import OrderWay
from cqrs_app.areas.fulfilment.projection import FulfilmentProjection
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel.registry import Area, FromState
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask

_OVER = {"nothing_to_do": "Nobody sees to this order, or it is at its end."}


def fulfilment_area(way_of: WayOf, tasks: Sequence[BackgroundTask] = ()) -> Area:
    """The area; `way_of` finds an order's way by the order's number."""
    return Area(
        name="fulfilment",
        handles={
            OrderWay: {
                do.BeginFulfilment: OrderWay.begin,
                do.NoteOrder: OrderWay.note_order,
                do.NotePayment: OrderWay.note_payment,
                do.NoteStock: OrderWay.note_stock,
                do.NoteTaskEnded: OrderWay.note_task_ended,
                do.NoteDeadline: OrderWay.note_deadline,
                do.RetryFulfilment: OrderWay.retry,
                do.SkipFulfilmentStep: OrderWay.skip,
                do.CancelFulfilment: OrderWay.cancel,
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
        events=[
            was.FulfilmentBegun,
            was.FulfilmentOrderNoted,
            was.FulfilmentPaymentNoted,
            was.FulfilmentStockNoted,
            was.FulfilmentTaskSent,
            was.FulfilmentTaskEnded,
            was.FulfilmentMoved,
            was.FulfilmentDeadlinePassed,
            was.FulfilmentRetried,
            was.FulfilmentStepSkipped,
            was.FulfilmentCancelled,
        ],
        projections=[FulfilmentProjection()],
        tasks=tasks,
        answers={
            queries.ListFulfilments: queries.list_fulfilments,
            queries.FulfilmentStages: queries.fulfilment_stages,
            queries.FollowerStatus: queries.follower_status,
            queries.GetFulfilmentSteps: queries.get_fulfilment_steps,
        },
        answers_from_state={
            queries.GetFulfilment: FromState(
                OrderWay, lambda question: question.order_id, queries.get_fulfilment
            ),
        },
        middleware=[released_first(way_of)],
    )
