"""The deletions of one kind of data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.retention.commands import RecordDeletion
from cqrs_app.platform.retention.events import OldDataDeleted


@dataclass
class Retention(Aggregate):
    category: ClassVar[str] = "retention"
    identity: ClassVar[str] = "kind"

    @handles(RecordDeletion)
    def record(self, command: RecordDeletion) -> Iterator[Event]:
        yield OldDataDeleted(kind=command.kind, deleted=command.deleted, before=command.before)

    def evolve(self, event: Event, at: datetime) -> None:
        """No rule asks for what was deleted."""
