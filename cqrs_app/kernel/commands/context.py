"""Who asks, through which door, and what comes back."""

from __future__ import annotations

import secrets
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import USABLE_YEARS


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator, or a named system operator such as `importer`, and what it may do."""

    name: str
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        return permission in self.permissions


running_command: ContextVar[str] = ContextVar("running_command", default="")
"""The id of the command that is being carried out here: for the lines of logs."""


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): it begins with the time, so that rows written one after
    another stand beside each other in an index, however many there are."""
    milliseconds = time.time_ns() // 1_000_000
    chance = secrets.randbits(74)
    high = milliseconds << 16 | 0x7 << 12 | chance >> 62
    low = 0b10 << 62 | chance & (1 << 62) - 1
    return str(uuid.UUID(int=high << 64 | low))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances of one command.

    `expected_version` is the stream version the operator saw; `occurred_at` (UTC) is set for
    history that happened before it was recorded, and needs the permission `history.record`.
    Raises Invalid for a time in a year that no page could show.
    """

    actor: Actor
    channel: str
    command_id: str = field(default_factory=new_id)
    correlation_id: str = ""
    causation_id: str | None = None
    expected_version: int | None = None
    occurred_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.occurred_at is not None and self.occurred_at.year not in USABLE_YEARS:
            sentence = f"Must be in the years {USABLE_YEARS[0]} to {USABLE_YEARS[-1]}."
            raise Invalid("Context", {"occurred_at": sentence})

    @property
    def correlation(self) -> str:
        """The id all that follows from the first command shares: its own, for a first one."""
        return self.correlation_id or self.command_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a command. `version` is the stream's version after it; times in ms."""

    command_id: str
    status: str
    stream: str
    version: int
    events: tuple[str, ...]
    duration_ms: float
    repeated: bool = False
