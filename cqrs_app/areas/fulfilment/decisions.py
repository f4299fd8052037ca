"""What people decide about an order's fulfilment, and when its state allows what.

A decision is an event; the process takes it in like any other, so that it may come at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from cqrs_app.areas.fulfilment.commands import CancelFulfilment, RetryFulfilment, SkipFulfilmentStep
from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentMoved,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.types import OVER, RELEASED
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event

ProcessOf = Callable[[str], FulfilmentProcess]
"""Finds an order's process by the order's number."""


@dataclass
class FulfilmentDecisions(Aggregate):
    """What the order's own events say. Whether a decision is possible depends on the process, and
    is checked before: see `guard`."""

    category: ClassVar[str] = "fulfilment"
    identity: ClassVar[str] = "order_id"
    shape: ClassVar[int] = 2

    stage: str = ""
    sentence: str = ""
    late: bool = False
    skipped: list[str] = field(default_factory=list)
    cancel_reason: str = ""

    def retry(self, command: RetryFulfilment) -> Iterator[Event]:
        yield FulfilmentRetried(order_id=command.order_id)

    def skip(self, command: SkipFulfilmentStep) -> Iterator[Event]:
        yield FulfilmentStepSkipped(
            order_id=command.order_id, step=str(command.step), reason=command.reason
        )

    def cancel(self, command: CancelFulfilment) -> Iterator[Event]:
        yield FulfilmentCancelled(order_id=command.order_id, reason=command.reason)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case FulfilmentMoved():
                self.stage, self.sentence, self.late = event.stage, event.sentence, event.late
            case FulfilmentStepSkipped():
                self.skipped.append(event.step)
            case FulfilmentCancelled():
                self.cancel_reason = event.reason


def guard(process_of: ProcessOf, *, enabled: bool) -> Middleware:
    """Refuses what the process forbids. `enabled` off: orders are shipped whatever it says."""
    rules: dict[type, Callable[[FulfilmentProcess, Any], Refused | None]] = {
        RetryFulfilment: lambda process, command: not_open(process),
        SkipFulfilmentStep: not_skippable,
        CancelFulfilment: lambda process, command: not_cancellable(process),
    }
    if enabled:
        rules[ShipOrder] = lambda process, command: not_released(process)

    def check(call: Call, proceed: Proceed) -> Receipt:
        command: Any = call.command
        rule = rules.get(type(command))
        # History is let in: what was shipped was shipped.
        in_history = isinstance(command, ShipOrder) and call.context.occurred_at is not None
        if rule and not in_history:
            refusal = rule(process_of(command.order_id), command)
            if refusal:
                raise refusal
        return proceed(call)

    return check


def not_released(process: FulfilmentProcess) -> Refused | None:
    """Why the goods may not be shipped yet; None where they may, or nobody sees to them."""
    if not process.begun or process.given_up or process.status.stage in RELEASED:
        return None
    return Refused(
        "not_released",
        f"Order {process.order_id} is not ready to ship: {process.status.sentence} Nothing was "
        f"changed. Look at its fulfilment to see what it waits for.",
    )


def not_open(process: FulfilmentProcess) -> Refused | None:
    """Why nothing can be decided about it; None where something can."""
    if process.begun and process.status.stage not in OVER:
        return None
    what = "is at its end" if process.begun else "has not begun"
    return Refused(
        "nothing_to_do",
        f"The fulfilment of order {process.order_id} {what}. Nothing was changed.",
    )


def not_skippable(process: FulfilmentProcess, command: SkipFulfilmentStep) -> Refused | None:
    if command.step is process.skippable:
        return not_open(process)
    return not_open(process) or Refused(
        "not_at_this_step",
        f"Order {process.order_id} does not wait at this step: {process.status.sentence} "
        f"Nothing was changed.",
    )


def not_cancellable(process: FulfilmentProcess) -> Refused | None:
    if process.given_up:
        return not_open(process) or Refused(
            "being_undone",
            f"Order {process.order_id} is being undone already. Nothing was changed.",
        )
    if process.has_shipped_goods:
        return not_open(process) or Refused(
            "goods_sent",
            f"Goods of order {process.order_id} have left; it can no longer be cancelled. "
            f"Nothing was changed. Record a credit note for what comes back.",
        )
    return not_open(process)
