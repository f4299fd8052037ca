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
    `role` is empty for who is no operator."""

    name: str
    person: str
    role: str

    def fits(self, stage: ApprovalStage) -> bool:
        """Whether a stage asks this person."""
        enough = _RANKS.get(self.role, -1) >= _RANKS[stage.role]
        return enough and (not stage.people or self.person in stage.people)


def least(*roles: str) -> str:
    """The role that may do least; empty, or unknown, before all."""
    return min(roles, key=lambda each: _RANKS.get(each, -1))


def short_of(
    stages: Sequence[ApprovalStage], signers: Collection[Signer], asker: str
) -> tuple[ApprovalStage, int] | None:
    """The first stage that too few could sign and how many are missing, or None. One person signs
    in one stage only.

    The stages with the fewest candidates choose first. That is exact where candidates are nested,
    as roles are.
    """
    left = {each.person: each for each in signers if each.person != asker}
    fitting = [[each.person for each in left.values() if each.fits(stage)] for stage in stages]
    taken: set[str] = set()
    for people, stage in sorted(
        zip(fitting, stages, strict=True), key=lambda each: len(each[0]) - each[1].approvals
    ):
        free = [each for each in people if each not in taken]
        if len(free) < stage.approvals:
            return stage, stage.approvals - len(free)
        taken |= set(free[: stage.approvals])
    return None
