"""What an order's way is made of: facts it was told, tasks it sent, and where it stands since.

A task that is to be sent is an event, so it is committed together with the state that wants it;
the follower carries it out under the event's id (see follower.py).
"""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.fulfilment.types import Argument, Line, Policy, Sent
from cqrs_app.kernel.messages.messages import Event, event


@event()
class FulfilmentBegun(Event):
    order_id: str
    currency: str
    total: Decimal
    lines: tuple[Line, ...]
    policy: Policy


@event()
class FulfilmentOrderNoted(Event):
    """Something happened to the order; `fact` is the event's type, `by` who did it."""

    order_id: str
    fact: str
    by: str
    sent: tuple[Sent, ...]


@event()
class FulfilmentPaymentNoted(Event):
    """Something happened to a payment of the order; `asked` says what was declined."""

    order_id: str
    payment_id: str
    fact: str
    asked: str
    amount: Decimal
    currency: str
    sentence: str


@event()
class FulfilmentStockNoted(Event):
    """There may be stock again of a product that is missing."""

    order_id: str
    sku: str


@event()
class FulfilmentTaskSent(Event):
    """`subject` is what the task is about: a product, a payment or the order itself."""

    order_id: str
    task_no: int
    task: str
    subject: str
    arguments: tuple[Argument, ...]


@event()
class FulfilmentTaskEnded(Event):
    """`outcome`: done, refused or failed."""

    order_id: str
    task_no: int
    outcome: str
    code: str
    sentence: str


@event()
class FulfilmentMoved(Event):
    """Where the order stands from now on; moves count from 1. `within` is how many seconds it may
    take; `late` means that it took longer; `wants` are the products whose arrival would change
    something."""

    order_id: str
    move_no: int
    stage: str
    sentence: str
    late: bool
    within: int | None
    wants: tuple[str, ...]


@event()
class FulfilmentDeadlinePassed(Event):
    order_id: str


@event()
class FulfilmentRetried(Event):
    order_id: str


@event()
class FulfilmentStepSkipped(Event):
    order_id: str
    step: str
    reason: str


@event()
class FulfilmentCancelled(Event):
    order_id: str
    reason: str
