"""Who sends a command, through which channel, and the receipt."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime

from cqrs_app.kernel.commands.performer import NO_SOURCE, Performer, PersonOf, Source
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.kernel.messages.fields import USABLE_YEARS
from cqrs_app.kernel.tracing.spans import Caller


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator, or a named system operator such as `importer`, with its permissions."""

    name: str
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        return permission in self.permissions


ActorNow = Callable[[Actor], Actor | None]
"""The same actor with the permissions it has now; None if it may not act any more."""


def new_id() -> str:
    """A UUID of version 7 (RFC 9562). It begins with the time, so that rows written one after
    another are neighbours in an index, however large it is."""
    milliseconds = time.time_ns() // 1_000_000
    chance = secrets.randbits(74)
    high = milliseconds << 16 | 0x7 << 12 | chance >> 62
    low = 0b10 << 62 | chance & (1 << 62) - 1
    return str(uuid.UUID(int=high << 64 | low))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances of one command.

    `expected_version` is the stream version that the operator saw. `occurred_at` (UTC) is set for
    history, which happened before it is recorded, and requires the permission `history.record`.
    Raises Invalid for a year outside USABLE_YEARS.
    """

    actor: Actor
    channel: str
    command_id: str = field(default_factory=new_id)
    correlation_id: str = ""
    causation_id: str | None = None
    expected_version: int | None = None
    occurred_at: datetime | None = None
    doubts: tuple[Refused, ...] = ()
    """Objections to the time of history, from its source: see `Aggregate.flag`."""
    source: Source = NO_SOURCE
    """What else the source of history says of it."""
    why: str = ""
    """A note to the signers, where it needs approval."""
    waived: frozenset[str] = frozenset()
    """Codes of objections to history that need no flag, since its source does not record what they
    are about."""
    deferred: bool = False
    """It was accepted before and is carried out later, in the name of the actor: the bus gives the
    actor the permissions it has by then (`ActorNow`), and logs the outcome whatever it is."""

    def __post_init__(self) -> None:
        if self.occurred_at is not None and self.occurred_at.year not in USABLE_YEARS:
            sentence = f"Must be in the years {USABLE_YEARS[0]} to {USABLE_YEARS[-1]}."
            raise Invalid("Context", {"occurred_at": sentence})

    @property
    def correlation(self) -> str:
        """The id shared by all commands that follow from a first one: that command's id, or the
        trace id of its caller."""
        return self.correlation_id or self.command_id

    def performer(self, person_of: PersonOf) -> Performer:
        """Who does what the command says."""
        if self.occurred_at is None:
            return Performer(name=person_of(self.actor.name), permissions=self.actor.permissions)
        return Performer(
            name=self.source.performer or self.actor.name,
            history=True,
            activity=self.source.activity,
        )

    def by(self, actor: Actor) -> Context:
        return replace(self, actor=actor)

    def called_by(self, caller: Caller | None) -> Context:
        """The same within the trace of the caller, if it has one."""
        if caller is None:
            return self
        return replace(self, correlation_id=caller.trace_id, causation_id=caller.span_id)


running_command: ContextVar[Context | None] = ContextVar("running_command", default=None)
"""The context of the command that is being carried out, for log lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a command. `version` is the stream's version after it."""

    command_id: str
    status: str
    stream: str
    version: int
    events: tuple[str, ...]
    duration_ms: float
    repeated: bool = False
