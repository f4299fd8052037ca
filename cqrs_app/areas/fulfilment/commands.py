"""What supervisors may do about an order's fulfilment."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.fulfilment.types import Step, WrittenReason
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Command, Permission, Role, command

VIEW = Permission("fulfilment.view", Role.VIEWER)
MANAGE = Permission("fulfilment.manage", Role.SUPERVISOR)


@command(label="Retry", permission=MANAGE)
class RetryFulfilment(Command):
    """Retry now what was refused, declined or is waiting."""

    order_id: OrderId


@command(label="Skip step", permission=MANAGE, risky=True)
class SkipFulfilmentStep(Command):
    """Continue without this step. Do by hand what it would have done."""

    order_id: OrderId
    step: Annotated[Step, Meta(title="Step")]
    reason: WrittenReason


@command(label="Cancel and undo", permission=MANAGE, risky=True)
class CancelFulfilment(Command):
    """Cancel the order, refund what was paid and release reserved stock."""

    order_id: OrderId
    reason: WrittenReason
