"""What happened to saved import mappings."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class ImportMappingSaved(Event):
    """Replaces the one of this name. `mapping` is its name, `content` is JSON."""

    mapping: str
    content: str


@event()
class ImportMappingDeleted(Event):
    mapping: str
