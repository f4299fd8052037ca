"""What people decide about an order's fulfilment. A decision is an event; the process takes it in
like any other, so that it may come at any time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from cqrs_app.fulfilment.commands import CancelFulfilment, RetryFulfilment, SkipFulfilmentStep
from cqrs_app.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentMoved,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.kernel.aggregate import Aggregate
from cqrs_app.kernel.messages import Event


@dataclass
class FulfilmentDecisions(Aggregate):
    """What the order's own events say. Whether a decision is possible depends on the process, and
    is checked before: see guard.py."""

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
