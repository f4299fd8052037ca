"""What people decide about an order's fulfilment, and when that is allowed. A decision is an event;
the process takes it as an input like any other, so it may arrive at any time.
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
from cqrs_app.kernel import Aggregate, Event, Refusal, Refused, Rule, handles, rule
from cqrs_app.kernel.effects import Call, Middleware, Proceed, Receipt

ProcessOf = Callable[[str], FulfilmentProcess]
"""Finds an order's process by the order's number."""

NOTHING_TO_DO = Refusal("nothing_to_do", "Nobody sees to this order, or it is at its end.")
NOT_AT_THIS_STEP = Refusal("not_at_this_step", "The order does not wait at this step.")
BEING_UNDONE = Refusal("being_undone", "It is being undone already.")
GOODS_SENT = Refusal("goods_sent", "Some of its goods have left.")
NOT_RELEASED = Refusal("not_released", "Its goods are not reserved, or it is not paid.")


@dataclass
class FulfilmentDecisions(Aggregate):
    """What the order's own fulfilment events say. Whether a decision is allowed depends on the
    process and is checked before: see `decided_in_time`.
    """

    category: ClassVar[str] = "fulfilment"
    identity: ClassVar[str] = "order_id"
    shape: ClassVar[int] = 2

    stage: str = ""
    sentence: str = ""
    late: bool = False
    skipped: list[str] = field(default_factory=list)
    cancel_reason: str = ""

    @handles(RetryFulfilment, refusals=[NOTHING_TO_DO])
    def retry(self, command: RetryFulfilment) -> Iterator[Event]:
        yield FulfilmentRetried(order_id=command.order_id)

    @handles(SkipFulfilmentStep, refusals=[NOTHING_TO_DO, NOT_AT_THIS_STEP])
    def skip(self, command: SkipFulfilmentStep) -> Iterator[Event]:
        yield FulfilmentStepSkipped(
            order_id=command.order_id, step=str(command.step), reason=command.reason
        )

    @handles(CancelFulfilment, refusals=[NOTHING_TO_DO, BEING_UNDONE, GOODS_SENT])
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


def released_first(process_of: ProcessOf) -> Rule:
    """The rule on shipping an order: applied when it is shipped and when that action is offered."""

    @rule(NOT_RELEASED)
    def check(order: object, order_id: str) -> None:
        refusal = not_released(process_of(order_id))
        if refusal:
            raise refusal

    return check


def decided_in_time(process_of: ProcessOf) -> Middleware:
    """Refuses a decision that the process does not wait for."""
    rules: dict[type, Callable[[FulfilmentProcess, Any], Refused | None]] = {
        RetryFulfilment: lambda process, command: not_open(process),
        SkipFulfilmentStep: not_skippable,
        CancelFulfilment: lambda process, command: not_cancellable(process),
    }

    def check(call: Call, proceed: Proceed) -> Receipt:
        command: Any = call.command
        forbids = rules.get(type(command))
        refusal = forbids(process_of(command.order_id), command) if forbids else None
        if refusal:
            raise refusal
        return proceed(call)

    return check


def not_released(process: FulfilmentProcess) -> Refused | None:
    """Why the order may not ship yet; None if it may, or if fulfilment does not handle it."""
    if not process.begun or process.given_up or process.status.stage in RELEASED:
        return None
    return NOT_RELEASED.because(
        f"Order {process.order_id} is not ready to ship: {process.status.sentence}",
        "Look at its fulfilment to see what it waits for.",
    )


def not_open(process: FulfilmentProcess) -> Refused | None:
    """Why nothing can be decided about the order; None if something can."""
    if process.is_known and process.status.stage not in OVER:
        return None
    return _nothing_to_do(process, "is at its end" if process.is_known else "has not begun")


def _nothing_to_do(process: FulfilmentProcess, what: str) -> Refused:
    return NOTHING_TO_DO.because(f"The fulfilment of order {process.order_id} {what}.")


def not_skippable(process: FulfilmentProcess, command: SkipFulfilmentStep) -> Refused | None:
    if command.step is process.skippable:
        return not_open(process)
    return not_open(process) or NOT_AT_THIS_STEP.because(
        f"Order {process.order_id} does not wait at this step: {process.status.sentence}"
    )


def not_cancellable(process: FulfilmentProcess) -> Refused | None:
    if process.given_up:
        return not_open(process) or BEING_UNDONE.because(
            f"Order {process.order_id} is being undone already."
        )
    if process.has_shipped_goods:
        return not_open(process) or GOODS_SENT.because(
            f"Goods of order {process.order_id} have left; it can no longer be cancelled.",
            "Cancel its remaining items, and record a credit note for what comes back.",
        )
    if process.is_known and not process.begun:
        return _nothing_to_do(process, "has not begun")
    return not_open(process)
