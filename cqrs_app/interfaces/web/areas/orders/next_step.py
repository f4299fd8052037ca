"""Where the page of an order offers each action, and which one it recommends."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.fulfilment.commands import RetryFulfilment
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    DeliverOrder,
    HoldOrder,
    ReleaseOrder,
    ShipOrder,
)

STEPS = tuple(each.__name__ for each in (ApproveOrder, ReleaseOrder, ShipOrder, DeliverOrder))
"""What an order waits for; only the first of them that is allowed is offered as the next step."""
BESIDE = (*STEPS, HoldOrder.__name__)
"""Actions with a button of their own; all others are in a menu, so that no button moves."""
RETRY = RetryFulfilment.__name__
Action = dict[str, Any]


def placed(
    allowed: list[Action],
    waiting: Set[str],
    stage: OrderStage | None,
    fulfilment_tasks: list[Action],
) -> dict[str, Any]:
    """`beside`: the actions with a button; `more`: those in the menu; `next_step`: the name of the
    one that the order waits for; `way_tasks`: what the Fulfilment panel offers.

    While one waits to be carried out, it alone has a place beside the menu. After a failed payment
    the next step is to retry it; releasing the order does the same, and is in the menu for whoever
    may do both. Out of stock, nothing is recommended.
    """
    offered = [each for each in allowed if each["name"] not in waiting]
    beside = [] if waiting else [each for each in offered if each["name"] in BESIDE]
    next_step = next((each["name"] for each in beside if each["name"] in STEPS), "")
    retry = [each for each in fulfilment_tasks if each["name"] == RETRY]
    if stage is OrderStage.PAYMENT_FAILED and retry and not waiting:
        beside, next_step = [retry[0] | {"label": "Retry payment"}], RETRY
        fulfilment_tasks = [each for each in fulfilment_tasks if each["name"] != RETRY]
    elif stage is OrderStage.OUT_OF_STOCK:
        next_step = ""
    return {
        "beside": beside,
        "more": [each for each in offered if each not in beside],
        "next_step": next_step,
        "way_tasks": fulfilment_tasks,
    }
