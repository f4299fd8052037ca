"""The words shown for the states of batches and the outcomes of their items."""

from __future__ import annotations

from enum import StrEnum


class BatchState(StrEnum):
    """The values are stored."""

    CHECKING = "checking"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return _STATES[self]


class Outcome(StrEnum):
    """What became of an item; the values are stored. `WAITING` and `SENDING` are none yet."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    REQUESTED = "requested"
    REFUSED = "refused"
    CONFLICTED = "conflicted"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return _OUTCOMES[self]


_STATES = {
    BatchState.CHECKING: "Checking",
    BatchState.READY: "Ready to start",
    BatchState.RUNNING: "Running",
    BatchState.PAUSED: "Paused",
    BatchState.ENDED: "Finished",
    BatchState.CANCELLED: "Cancelled",
}
_OUTCOMES = {
    Outcome.WAITING: "Waiting",
    Outcome.SENDING: "Running",
    Outcome.DONE: "Done",
    Outcome.REQUESTED: "Approval requested",
    Outcome.REFUSED: "Refused",
    Outcome.CONFLICTED: "Changed since",
    Outcome.FAILED: "Failed",
    Outcome.SKIPPED: "Left out",
    Outcome.CANCELLED: "Cancelled",
}
OPEN = (Outcome.WAITING, Outcome.SENDING)
RETRIED = (
    Outcome.REFUSED,
    Outcome.CONFLICTED,
    Outcome.FAILED,
    Outcome.SKIPPED,
    Outcome.CANCELLED,
)
"""The outcomes whose items can be sent again."""
