"""What the console records about old data that it has deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.permissions import Permission

RECORD = Permission("retention.record", None)
"""Only of the task that deletes."""


@command(label="Record deletion of old data", permission=RECORD)
class RecordDeletion(Command):
    """Sent by the console after it has deleted what is kept no longer."""

    kind: Annotated[
        str, Meta(title="Kind of data", examples=["sessions"], pattern="^[a-z_]+$", max_length=40)
    ]
    deleted: Annotated[int, Meta(title="Rows", ge=1)]
    before: Annotated[datetime, Meta(title="Older than")]
