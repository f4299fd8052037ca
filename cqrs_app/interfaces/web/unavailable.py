"""Why actions are unavailable: what several of them share is said once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class UnavailableActions:
    """Actions that are unavailable for the same reason, said in `shared`; `actions` are pairs of an
    action and what its own reason adds to that. Nothing is shared by one action alone.
    """

    shared: str = ""
    actions: list[tuple[Any, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.actions)


def by_reason(not_now: Iterable[Any]) -> list[UnavailableActions]:
    """Actions with a `reason`, those whose reasons begin with the same clause together."""
    clauses: dict[str, list[tuple[Any, str]]] = {}
    for each in not_now:
        clause, _, rest = each.reason.partition("; ")
        clauses.setdefault(clause.removesuffix("."), []).append((each, rest))
    return [_together(clause, actions) for clause, actions in clauses.items()]


def _together(clause: str, actions: list[tuple[Any, str]]) -> UnavailableActions:
    if len(actions) == 1:
        return UnavailableActions(actions=[(each, each.reason) for each, _ in actions])
    if len({rest for _, rest in actions}) == 1:
        first, _ = actions[0]
        return UnavailableActions(first.reason, [(each, "") for each, _ in actions])
    return UnavailableActions(
        f"{clause}.", [(each, rest[:1].upper() + rest[1:]) for each, rest in actions]
    )
