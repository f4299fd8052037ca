"""Where a request comes from, for what is recorded while it is answered."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`session` is the key of the session. `by_person` is false for what pages request by
    themselves."""

    channel: str = "system"
    address: str = ""
    session: str = ""
    by_person: bool = True


NOWHERE = Origin()
origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)
