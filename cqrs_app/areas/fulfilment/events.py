"""The events of an order's fulfilment: its stage changed, or a person decided something."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from cqrs_app.kernel import Event, event


@event(schema=2)
class FulfilmentMoved(Event):
    """The order's new stage, and why. `within` is how many seconds it may take, None without a
    limit; `late` means that it took longer.
    """

    order_id: str
    stage: str
    sentence: str
    late: bool
    within: int | None


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


def _moved_2(payload: dict[str, Any]) -> dict[str, Any]:
    """Without the number of the change and the missing products, which the row holds."""
    return {name: payload[name] for name in ("order_id", "stage", "sentence", "late", "within")}


UPCASTERS = MappingProxyType({("FulfilmentMoved", 1): _moved_2})
