"""The badges beside a row: changes that are recorded, or accepted, but not in the row yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cqrs_app.interfaces.web.ask import ask, may_act
from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel.messages.messages import Declaration
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.platform.runtime.pending import Pending, PendingWrites
from cqrs_app.services import kernel, services


@dataclass(frozen=True, slots=True)
class PendingBadge:
    """One pending change; `version` is None while it waits for a worker. `undo_id` is the command
    that can still be undone, or empty.
    """

    version: int | None
    label: str
    operator: str
    since: datetime
    undo_id: str = ""


@dataclass(frozen=True, slots=True)
class Badges:
    """What a row does not show. `parked`: its stream waits behind an event that failed."""

    pending: PendingBadge | None = None
    parked: bool = False


def badges_of(category: str, shown: Mapping[str, int], freshness: Freshness) -> dict[str, Badges]:
    """By identity: the badges of things of one category whose version is `shown`."""
    streams = {identity: f"{category}-{identity}" for identity in shown}
    pending = ask(PendingWrites(streams=tuple(streams.values()))).value
    return {
        identity: _badges(pending, streams[identity], version, freshness)
        for identity, version in shown.items()
    }


def is_queued(stream: str) -> bool:
    """Whether a command on it was accepted and waits for a worker: see COMMAND_BUS_TYPE."""
    return stream in ask(PendingWrites(streams=(stream,))).value.waiting


def _badges(pending: Pending, stream: str, shown: int, freshness: Freshness) -> Badges:
    written = pending.written.get(stream)
    if written and written.version > shown:
        # Projections have passed the event and the row does not hold it: it was parked.
        passed = written.position is not None and freshness.position >= written.position
        if freshness.parked and passed:
            return Badges(parked=True)
        label = event_words(written.type)
        return Badges(PendingBadge(written.version, label, written.operator, written.recorded_at))
    waiting = pending.waiting.get(stream)
    if waiting:
        task = kernel.registry.commands.get(waiting.type)
        label = task.declaration.label if task else event_words(waiting.type)
        undo_id = waiting.command_id if task and _may_undo(task.declaration) else ""
        return Badges(PendingBadge(None, label, waiting.operator, waiting.received_at, undo_id))
    return Badges()


def _may_undo(declaration: Declaration) -> bool:
    waits = declaration.undoable and services.settings.undo_seconds
    return bool(waits) and may_act(declaration.permission)
