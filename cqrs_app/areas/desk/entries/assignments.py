"""Who was made responsible for an order, took it over or skipped it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.assignments.events import (
    AssigneeChanged,
    AssigneeRemoved,
    OrderSkipped,
    OrderTakenOver,
)
from cqrs_app.areas.desk.entries.entry import Entry
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.kernel import Event

_ORDER = EntryKind.ORDER


def _assigned(event: AssigneeChanged) -> Entry:
    whom = (("Operator", event.operator), ("Team", event.team))
    return Entry(_ORDER, "Assigned", (*whom, ("Note", event.note)))


ENTRIES: Mapping[type[Event], Callable[[Any], Entry]] = MappingProxyType(
    {
        AssigneeChanged: _assigned,
        AssigneeRemoved: lambda event: Entry(_ORDER, "Unassigned", (("Note", event.note),)),
        OrderTakenOver: lambda event: Entry(
            _ORDER, "Taken over", (("From", event.holder), ("Note", event.note))
        ),
        OrderSkipped: lambda event: Entry(
            _ORDER, "Skipped in the queue", (("Reason", event.reason),)
        ),
    }
)
