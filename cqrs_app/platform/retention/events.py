"""What became of old data."""

from __future__ import annotations

from datetime import datetime

from cqrs_app.kernel.messages.messages import Event, event


@event()
class OldDataDeleted(Event):
    """So many rows of this kind, from before this moment."""

    kind: str
    deleted: int
    before: datetime
