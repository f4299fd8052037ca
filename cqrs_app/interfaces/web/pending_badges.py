"""The badges beside a row: what is written, or accepted, but not in the row yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cqrs_app.extensions import kernel
from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.platform.runtime.pending import Pending


@dataclass(frozen=True, slots=True)
class PendingBadge:
    """One change that is on its way; `version` is None while it waits for a worker."""

    version: int | None
    label: str
    operator: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Badges:
    """What a row does not show. `parked`: its stream waits behind an event that failed."""

    pending: PendingBadge | None = None
    parked: bool = False


def badges_of(pending: Pending, stream: str, shown: int, freshness: Freshness) -> Badges:
    """The badges of a row that shows version `shown` of `stream`."""
    written = pending.written.get(stream)
    if written and written.version > shown:
        # Projections have passed the event and the row does not hold it: it was set aside.
        passed = written.position is not None and freshness.position >= written.position
        if freshness.parked and passed:
            return Badges(parked=True)
        label = event_words(written.type)
        return Badges(PendingBadge(written.version, label, written.operator, written.recorded_at))
    waiting = pending.waiting.get(stream)
    if waiting:
        task = kernel.registry.commands.get(waiting.type)
        label = task.declaration.label if task else event_words(waiting.type)
        return Badges(PendingBadge(None, label, waiting.operator, waiting.received_at))
    return Badges()
