"""What people decide about batches. The outcome of each item is a row, and in the command log."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from cqrs_app.kernel.messages.messages import Event, event


@event(schema=2)
class BatchCreated(Event):
    """`total` items are frozen, each to become this command, or all commands of the `macro`, of
    which it is the first that minds the version. `start`: without a check first."""

    batch_id: str
    command: str
    total: int
    start: bool
    macro: str


@event()
class BatchStarted(Event):
    """`leave_out`: items that the check expects to be refused are not sent."""

    batch_id: str
    leave_out: bool


@event(schema=2)
class BatchPaused(Event):
    """`reason` is empty where nobody gave one."""

    batch_id: str
    reason: str


@event()
class BatchResumed(Event):
    batch_id: str


@event()
class BatchCancelled(Event):
    """Items that were not sent are not sent any more."""

    batch_id: str


@event()
class BatchItemsRetried(Event):
    """Items with this outcome are sent again."""

    batch_id: str
    outcome: str


@event()
class BatchEnded(Event):
    """Every item has an outcome."""

    batch_id: str


def _paused_1(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"reason": ""}


def _created_1(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"macro": ""}


UPCASTERS = MappingProxyType({("BatchPaused", 1): _paused_1, ("BatchCreated", 1): _created_1})
