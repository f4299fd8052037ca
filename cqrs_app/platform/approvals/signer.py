"""Who signs: the person behind an account or a token. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals.types import ApprovalStage

_RANKS = {str(role): rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Signer:
    """`name` is the actor, `person` the one whose word it is: a token acts for whoever made it.
    `role` is empty for who is no operator, `team` for who is in none. `represents` are those who
    let this person sign for them."""

    name: str
    person: str
    role: str
    team: str = ""
    represents: tuple[Signer, ...] = ()

    def fits(self, stage: ApprovalStage) -> bool:
        """Whether a stage asks this person."""
        enough = _RANKS.get(self.role, -1) >= _RANKS[stage.role]
        anybody = not (stage.people or stage.teams)
        named = self.person in stage.people or (bool(self.team) and self.team in stage.teams)
        return enough and (anybody or named)


def least(*roles: str) -> str:
    """The role that may do least; empty, or unknown, before all."""
    return min(roles, key=lambda each: _RANKS.get(each, -1))


def short_of(
    stages: Sequence[ApprovalStage], signers: Collection[Signer], asker: str
) -> tuple[ApprovalStage, int] | None:
    """The first stage that too few could sign and how many are missing, or None. One person signs
    in one stage only, so this is a bipartite matching, by augmenting paths."""
    people = {each.person: each for each in signers if each.person != asker}.values()
    fitting = [[each.person for each in people if each.fits(stage)] for stage in stages]
    taken: dict[str, int] = {}

    def take(stage: int, tried: set[str]) -> bool:
        """Find somebody for a stage, where needed by somebody else for the stage that had them."""
        for person in fitting[stage]:
            if person not in tried:
                tried.add(person)
                if person not in taken or take(taken[person], tried):
                    taken[person] = stage
                    return True
        return False

    for number, stage in enumerate(stages):
        for found in range(stage.approvals):
            if not take(number, set()):
                return stage, stage.approvals - found
    return None
