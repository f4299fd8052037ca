"""Problems of the shop: orders that wait too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cqrs_app.areas.desk.queries.figures import OrdersByStage, orders_by_stage
from cqrs_app.areas.fulfilment.queries import FulfilmentStages, fulfilment_stages
from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.alerts.sources import Source
from cqrs_app.platform.runtime.problems import Problem


def of_shop(kernel: Kernel) -> Iterator[Problem]:
    """Orders that fulfilment cannot go on with, and the oldest of each stage that needs action."""
    now = kernel.clock()
    with kernel.engines.query.connect() as connection:
        steps = fulfilment_stages(FulfilmentStages(), connection)
        stages = orders_by_stage(OrdersByStage(), connection)
    for step in steps:
        if step.stage is Stage.STUCK:
            yield _stuck(step.orders, step.since)
    for stage in stages:
        if stage.oldest:
            age = (now - stage.oldest).total_seconds()
            days = int(age // 86_400)
            yield Problem(
                kind="oldest_order",
                subject=str(stage.stage),
                level="warn",
                title=f"An order has been in “{stage.stage.label}” for "
                f"{days:,} {'day' if days == 1 else 'days'}",
                cost=f"{stage.waiting:,} {'order waits' if stage.waiting == 1 else 'orders wait'} "
                "at this stage.",
                since=stage.oldest,
                remedy="Work the oldest orders of this stage first.",
                value=age,
                # Home shows how long orders wait.
                limit=float("inf"),
            )


def _stuck(orders: int, since: datetime) -> Problem:
    return Problem(
        kind="stuck_orders",
        level="warn",
        title=f"{orders:,} {'order needs' if orders == 1 else 'orders need'} a decision",
        cost="Fulfilment does not go on with them by itself.",
        since=since,
        remedy="Fulfilment has the reason for each, and what can be done.",
        value=orders,
        # The Fulfilment page has them.
        limit=float("inf"),
    )


SHOP = Source(frozenset({"stuck_orders", "oldest_order"}), of_shop)
