"""What fulfilment adds to the timeline and no order, payment or product event says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.desk.entries.entry import Entry
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentMoved,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.types import Stage, Step
from cqrs_app.kernel import Event

OPERATOR = "fulfilment"
"""The actor name under which fulfilment sends its commands."""
_ORDER = EntryKind.ORDER


def _moved(event: FulfilmentMoved) -> Entry | None:
    why = ("Reason", event.sentence)
    if event.late:
        return Entry(_ORDER, "Late", (("Step", Stage(event.stage).label), why))
    if event.stage == Stage.OUT_OF_STOCK:
        return Entry(EntryKind.STOCK, "Out of stock", (why,))
    if event.stage == Stage.STUCK:
        return Entry(_ORDER, "Needs a decision", (why,))
    return None


def _skipped(event: FulfilmentStepSkipped) -> Entry:
    return Entry(
        _ORDER, "Step skipped", (("Step", Step(event.step).label), ("Reason", event.reason))
    )


ENTRIES: Mapping[type[Event], Callable[[Any], Entry | None]] = MappingProxyType(
    {
        FulfilmentMoved: _moved,
        FulfilmentRetried: lambda event: Entry(_ORDER, "Fulfilment retried"),
        FulfilmentStepSkipped: _skipped,
        FulfilmentCancelled: lambda event: Entry(
            _ORDER, "Fulfilment cancelled", (("Reason", event.reason),)
        ),
    }
)
