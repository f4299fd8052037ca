"""Batches over HTTP: one command for many items, and what becomes of each."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.batches.commands import (
    CancelBatch,
    PauseBatch,
    ResumeBatch,
    RetryBatchItems,
    StartBatch,
)

DECISIONS: dict[str, type[Command]] = {
    "start": StartBatch,
    "pause": PauseBatch,
    "resume": ResumeBatch,
    "cancel": CancelBatch,
    "retry": RetryBatchItems,
}
