"""The marks beside a row: what is written, or accepted, but not in the row yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cqrs_app.extensions import kernel
from cqrs_app.kernel.freshness import Freshness
from cqrs_app.runtime.pending import Pending, Written
from cqrs_app.web.presentation import event_words


@dataclass(frozen=True, slots=True)
class Mark:
    """One change that is on its way; `version` is None while it waits for a worker."""

    version: int | None
    label: str
    operator: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Marks:
    """What a row does not show. `parked`: its stream waits behind an event that failed."""

    pending: Mark | None = None
    parked: bool = False


def marks_of(
    pending: Pending, stream: str, shown: int, freshness: Freshness, *beside: Freshness
) -> Marks:
    """The marks of a row that shows version `shown` of `stream`; `beside`, of what else on the
    page shows the stream: the change is on its way until all of it holds the change."""
    written = pending.written.get(stream)
    if written:
        ahead = written.version > shown
        if ahead and freshness.parked and _passed(written, freshness):
            return Marks(parked=True)
        if ahead or not all(_passed(written, each) for each in beside):
            label = event_words(written.type)
            return Marks(Mark(written.version, label, written.operator, written.recorded_at))
    waiting = pending.waiting.get(stream)
    if waiting:
        task = kernel.registry.commands.get(waiting.type)
        label = task.declaration.label if task else event_words(waiting.type)
        return Marks(Mark(None, label, waiting.operator, waiting.received_at))
    return Marks()


def _passed(written: Written, shown: Freshness) -> bool:
    """Whether the projections have been past the event; a row without it waits behind another."""
    return written.position is not None and shown.position >= written.position
