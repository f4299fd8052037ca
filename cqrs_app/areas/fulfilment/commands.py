"""What supervisors may do about an order's fulfilment."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.fulfilment.types import Step, WrittenReason
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Command, Permission, Role, command

VIEW = Permission("fulfilment.view", Role.VIEWER)
MANAGE = Permission("fulfilment.manage", Role.SUPERVISOR)


@command(label="Try again", permission=MANAGE)
class RetryFulfilment(Command):
    """Try at once what was refused, declined, or waits."""

    order_id: OrderId


@command(label="Skip step", permission=MANAGE, risky=True)
class SkipFulfilmentStep(Command):
    """Go on without a step. What it would have done is then up to you."""

    order_id: OrderId
    step: Annotated[Step, Meta(title="Step")]
    reason: WrittenReason


@command(label="Cancel and undo", permission=MANAGE, risky=True)
class CancelFulfilment(Command):
    """Cancel the order, give back what was paid, and release what is reserved."""

    order_id: OrderId
    reason: WrittenReason
