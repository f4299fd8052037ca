"""Who does what a command says, for the methods that need to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PersonOf = Callable[[str], str]
"""From the name of an actor to the person behind it: of an API token, the operator who made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the source of history says of one step: who did it, and what it calls it."""

    performer: str = ""
    activity: str = ""


NO_SOURCE = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """The person who sends a command, with the permissions it is sent with. For history, whom its
    source names, who needs none: `activity` is what the source calls the step.
    """

    name: str
    permissions: frozenset[str] = frozenset()
    history: bool = False
    activity: str = ""

    def may(self, permission: str) -> bool:
        return self.history or permission in self.permissions
