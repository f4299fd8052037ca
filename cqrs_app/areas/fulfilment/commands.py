"""What supervisors do with an order on its way, and what the follower tells it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.fulfilment.types import (
    Count,
    Currency,
    Line,
    Money,
    OrderId,
    Policy,
    Reason,
    Sent,
    Sentence,
    Sku,
    Word,
)
from cqrs_app.areas.fulfilment.words import Step
from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.permissions import Permission, Role

VIEW = Permission("fulfilment.view", Role.VIEWER)
MANAGE = Permission("fulfilment.manage", Role.SUPERVISOR)
FOLLOW = Permission("fulfilment.follow", None)


@command(label="Try again", permission=MANAGE)
class RetryFulfilment(Command):
    """Try at once what was refused, declined, or waits."""

    order_id: OrderId


@command(label="Skip step", permission=MANAGE, risky=True)
class SkipFulfilmentStep(Command):
    """Go on without a step. What it would have done is then up to you."""

    order_id: OrderId
    step: Annotated[Step, Meta(title="Step")]
    reason: Reason


@command(label="Cancel and undo", permission=MANAGE, risky=True)
class CancelFulfilment(Command):
    """Cancel the order, give back what was paid, and release what is reserved."""

    order_id: OrderId
    reason: Reason


@command(label="Begin fulfilment", permission=FOLLOW)
class BeginFulfilment(Command):
    """See an approved order through. Begun again, nothing changes."""

    order_id: OrderId
    currency: Currency
    total: Money
    lines: Annotated[tuple[Line, ...], Meta(max_length=10_000)]
    policy: Policy


@command(label="Note what happened to the order", permission=FOLLOW)
class NoteOrder(Command):
    """Tell the order's way what happened to the order."""

    order_id: OrderId
    fact: Word
    by: Word
    sent: Annotated[tuple[Sent, ...], Meta(max_length=10_000)] = ()


@command(label="Note what happened to a payment", permission=FOLLOW)
class NotePayment(Command):
    """Tell the order's way what happened to one of its payments."""

    order_id: OrderId
    payment_id: OrderId
    fact: Word
    asked: Word = ""
    amount: Money = Decimal(0)
    currency: Word = ""
    sentence: Sentence = ""


@command(label="Note that there may be stock", permission=FOLLOW)
class NoteStock(Command):
    """Tell the order's way that a missing product may be there again."""

    order_id: OrderId
    sku: Sku


@command(label="Note what became of a task", permission=FOLLOW)
class NoteTaskEnded(Command):
    """Tell the order's way what came of a task that it sent."""

    order_id: OrderId
    task_no: Count
    outcome: Word
    code: Word = ""
    sentence: Sentence = ""


@command(label="Note that a deadline passed", permission=FOLLOW)
class NoteDeadline(Command):
    """Tell the order's way that it took too long; an older move is not minded any more."""

    order_id: OrderId
    move_no: Count
