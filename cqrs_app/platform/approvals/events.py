"""What happened to approval policies and requests."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

from cqrs_app.kernel.messages.messages import Event, event
from cqrs_app.kernel.privacy.personal import PERSONAL
from cqrs_app.platform.approvals.policy import ApprovalPolicy, ShownEffects
from cqrs_app.platform.approvals.types import ApprovalStage

OUTDATED = (
    "Not approved: something has changed since this was requested. Whoever requested it can "
    "request it again."
)
"""What a signer is told where a signature ended in ApprovalOutdated."""


@event(schema=3)
class ApprovalPolicySet(Event):
    policy: ApprovalPolicy


@event()
class ApprovalPolicyRemoved(Event):
    policy: str


@event(schema=3)
class ApprovalRequested(Event):
    """`payload` is the command as JSON, sealed with the key of `person`. `payload_hash` covers it
    together with `salt`, which is sealed likewise: once the person is erased, nobody can find the
    fields by trying. `digest` covers all that a signer is shown. `asked_by` is the actor, `asker`
    the person behind it, `why` their reason."""

    request_id: str
    command: str
    stream: str
    person: str
    payload: Annotated[str, PERSONAL]
    salt: Annotated[str, PERSONAL]
    payload_hash: str
    shown: ShownEffects
    digest: str
    policies: tuple[ApprovalPolicy, ...]
    stages: tuple[ApprovalStage, ...]
    asked_by: str
    asker: str
    channel: str
    why: Annotated[str, PERSONAL]

    @property
    def concerns(self) -> str:
        return self.person


@event(schema=2)
class ApprovalSigned(Event):
    """A person approves what has this digest. `signer` is the actor that sent it, `on_behalf_of`
    the one who let them sign, empty if it is their own signature."""

    request_id: str
    person: str
    signer: str
    stage: int
    digest: str
    on_behalf_of: str
    comment: str


@event()
class ApprovalGranted(Event):
    request_id: str


@event(schema=2)
class ApprovalRefused(Event):
    request_id: str
    person: str
    signer: str
    on_behalf_of: str
    comment: str


@event(schema=2)
class ApprovalReturned(Event):
    request_id: str
    person: str
    signer: str
    on_behalf_of: str
    comment: str


@event()
class ApprovalResubmitted(Event):
    request_id: str
    shown: ShownEffects
    digest: str
    comment: str


@event()
class ApprovalWithdrawn(Event):
    request_id: str
    comment: str


@event()
class ApprovalOverridden(Event):
    request_id: str
    person: str
    reason: str
    missing: int


@event()
class ApprovalOverrideReviewed(Event):
    """Somebody else has looked at what was carried out without the missing signatures."""

    request_id: str
    person: str
    signer: str
    justified: bool
    comment: str


@event()
class ApprovalOutdated(Event):
    """What it would do has changed since it was shown. `reason` says what."""

    request_id: str
    reason: str


@event()
class ApprovalExecuted(Event):
    request_id: str


@event()
class ApprovalFailed(Event):
    request_id: str
    reason: str


@event()
class ApprovalExpired(Event):
    request_id: str


@event()
class ApprovalVoided(Event):
    """The personal data that it needs was erased."""

    request_id: str


@event()
class ApprovalReminded(Event):
    """Whoever can sign is reminded of the deadline, or of a review that is overdue."""

    request_id: str
    of_review: bool


@event()
class SignaturesDelegated(Event):
    """Until then `delegate` may sign for the operator."""

    operator: str
    delegate: str
    until: datetime


@event()
class DelegationEnded(Event):
    operator: str


def _own_1(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"on_behalf_of": ""}


def _policy_1(policy: dict[str, Any]) -> dict[str, Any]:
    return policy | {"review_hours": 24, "stages": _stages_1(policy["stages"])}


def _stages_1(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"teams": []} | each for each in stages]


def _policy_2(policy: dict[str, Any]) -> dict[str, Any]:
    return policy | {"bulk": False}


def _set_1(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"policy": _policy_1(payload["policy"])}


def _set_2(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"policy": _policy_2(payload["policy"])}


def _requested_1(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {
        "salt": "",
        "policies": [_policy_1(each) for each in payload["policies"]],
        "stages": _stages_1(payload["stages"]),
    }


def _requested_2(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {
        "why": "",
        "policies": [_policy_2(each) for each in payload["policies"]],
    }


UPCASTERS = MappingProxyType(
    {
        ("ApprovalPolicySet", 1): _set_1,
        ("ApprovalPolicySet", 2): _set_2,
        ("ApprovalRequested", 1): _requested_1,
        ("ApprovalRequested", 2): _requested_2,
        ("ApprovalSigned", 1): _own_1,
        ("ApprovalRefused", 1): _own_1,
        ("ApprovalReturned", 1): _own_1,
    }
)
