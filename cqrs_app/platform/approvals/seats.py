"""Who can sign a request now, and in whose place; who can review an override. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals.request_fields import RequestFields
from cqrs_app.platform.approvals.rules import NOBODY_CAN_SIGN
from cqrs_app.platform.approvals.signer import Signer, short_of
from cqrs_app.platform.approvals.types import ApprovalStage, RequestState


def asks(request: RequestFields, signer: Signer) -> bool:
    """Whether this person is asked now."""
    if request.state is not RequestState.OPEN or signer.person == request.asker:
        return False
    return signer.person not in request.given and seat(request, signer) is not None


def seat(request: RequestFields, signer: Signer) -> Signer | None:
    """Whose signature this person can give: their own, or else that of somebody who lets them.
    Nobody's for what that one asked for, or when it has been given."""
    stage, given = request.stages[request.stage], request.given
    for each in (signer, *signer.represents):
        if each.fits(stage) and each.person != request.asker and each.person not in given:
            return each
    return None


def represented(request: RequestFields, signer: Signer) -> str:
    """Whom the signature is for, if not for the signer; a word of somebody who has signed before is
    for whom they signed."""
    if signer.person in request.signed:
        return request.signed_for.get(signer.person, "")
    found = seat(request, signer)
    return found.person if found and found.person != signer.person else ""


def reviews(request: RequestFields, signer: Signer, overrider: str) -> bool:
    """Whether this person can review what `overrider` does."""
    if signer.person in (request.asker, overrider):
        return False
    return signer.role == Role.ADMIN or any(map(signer.fits, request.stages))


def may_review(request: RequestFields, signer: Signer) -> bool:
    """Whether this person can review the override that awaits it."""
    return request.review_due is not None and reviews(request, signer, request.overrider)


def require_enough(
    stages: Sequence[ApprovalStage],
    signers: Collection[Signer],
    asker: str,
    beyond: Collection[str] = (),
) -> None:
    """Raises NOBODY_CAN_SIGN if too few can sign in all stages, whoever asks left out. `beyond` are
    further people who could, but for the limits of their roles."""
    short = short_of(stages, signers, asker)
    if short is None:
        return
    stage, missing = short
    named = stage.people or stage.teams
    able = "change who the policy names" if named else "give more people that role"
    reason = ""
    if beyond:
        able = f"raise the limits of {' or '.join(beyond)}, or to {able}"
        reason = ", since it is beyond the limits of others"
    raise NOBODY_CAN_SIGN(
        f"This needs approval by {describe(stage)} other than you. Not enough people can "
        f"give it: {missing} missing{reason}. Nothing was changed. Ask an administrator to {able}."
    )


def describe(stage: ApprovalStage) -> str:
    """Who a stage asks, such as "2 supervisors"."""
    named = (*stage.people, *(f"team {each}" for each in stage.teams))
    if named:
        return f"{stage.approvals} of {', '.join(named)}"
    return (
        f"{stage.approvals} {stage.role}"
        if stage.approvals == 1
        else (f"{stage.approvals} {stage.role}s")
    )
