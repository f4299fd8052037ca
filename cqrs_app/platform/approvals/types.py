"""The value types of approval policies and requests, with their limits and labels."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import paragraph
from cqrs_app.kernel.messages.messages import value
from cqrs_app.kernel.messages.patterns import ONE_LINE
from cqrs_app.kernel.messages.permissions import Role

MOST_HOURS = 24 * 90
MOST_LISTED = 50

PolicyName = Annotated[
    str,
    Meta(
        title="Policy",
        examples=["refunds"],
        description="A short name, such as refunds: small letters, digits and hyphens.",
        pattern=r"^[a-z0-9][a-z0-9\-]*(?!\n)$",
        min_length=1,
        max_length=40,
    ),
]
RequestId = Annotated[
    str,
    Meta(
        title="Request",
        examples=["5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11"],
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\n)$",
        min_length=36,
        max_length=36,
    ),
]
Digest = Annotated[
    str,
    Meta(
        title="What was shown",
        description="The digest of the request that the signer has seen.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        pattern=r"^[0-9a-f]{64}(?!\n)$",
        min_length=64,
        max_length=64,
        extra={"widget": "hidden"},
    ),
]
DigestOrVersion = Annotated[
    str,
    Meta(
        title="What was shown",
        description="The digest of the request that the signer has seen. Empty: as it was at the "
        "expected version.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        pattern=r"^([0-9a-f]{64})?(?!\n)$",
        max_length=64,
        extra={"widget": "hidden"},
    ),
]
Operator = Annotated[
    str,
    Meta(
        title="Operator",
        examples=["maria"],
        pattern=r"^[a-z0-9][a-z0-9._-]*(?!\n)$",
        min_length=1,
        max_length=40,
    ),
]
Comment = Annotated[str, paragraph("Comment", 1_000, description="Kept with the request.")]
Why = Annotated[str, paragraph("Note to signers", 1_000)]
_Name = Annotated[str, Meta(pattern=ONE_LINE, min_length=1, max_length=100)]
Names = tuple[_Name, ...]


def names(title: str, description: str, *examples: str) -> Meta:
    """Limits of a list of names, one per line."""
    return Meta(
        title=title,
        description=description,
        examples=[list(examples)] if examples else None,
        max_length=MOST_LISTED,
        extra={"spellcheck": "false"},
    )


class SentFrom(StrEnum):
    """How a command was sent."""

    FORM = "form"
    API = "api"
    CLI = "cli"
    BATCH = "batch"

    @property
    def label(self) -> str:
        return {"form": "Pages", "api": "API", "cli": "Command line", "batch": "Batch"}[self]


class Comparison(StrEnum):
    """How a field of the command is compared."""

    IS = "is"
    IS_NOT = "is_not"
    OVER = "over"
    UNDER = "under"

    @property
    def label(self) -> str:
        return {"is": "is", "is_not": "is not", "over": "is over", "under": "is under"}[self]


class SignDecision(StrEnum):
    """What a signer decides."""

    APPROVE = "approve"
    REFUSE = "refuse"
    RETURN = "return"

    @property
    def label(self) -> str:
        return {"approve": "Approve", "refuse": "Refuse", "return": "Return"}[self]


class OverrideVerdict(StrEnum):
    """What a review of an override comes to."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"

    @property
    def label(self) -> str:
        return {"justified": "Justified", "not_justified": "Not justified"}[self]


class RequestState(StrEnum):
    """The state of a request; the values are stored."""

    OPEN = "open"
    RETURNED = "returned"
    APPROVED = "approved"
    EXECUTED = "executed"
    FAILED = "failed"
    REFUSED = "refused"
    STALE = "stale"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    VOID = "void"

    @property
    def label(self) -> str:
        return _STATES[self]

    @property
    def pending(self) -> bool:
        """Whether something can still become of the request."""
        return self in (
            RequestState.OPEN,
            RequestState.RETURNED,
            RequestState.STALE,
            RequestState.APPROVED,
        )


_STATES = {
    RequestState.OPEN: "Awaiting approval",
    RequestState.RETURNED: "Returned",
    RequestState.APPROVED: "Approved",
    RequestState.EXECUTED: "Done",
    RequestState.FAILED: "Failed",
    RequestState.REFUSED: "Refused",
    RequestState.STALE: "Out of date",
    RequestState.EXPIRED: "Expired",
    RequestState.WITHDRAWN: "Withdrawn",
    RequestState.VOID: "Void",
}


@value
class FieldCondition:
    """A field of the command, compared with a value. Numbers are compared as numbers."""

    field: Annotated[
        str,
        Meta(
            title="Field",
            examples=["difference"],
            pattern=r"^[a-z][a-z0-9_]*(?!\n)$",
            min_length=1,
            max_length=60,
        ),
    ]
    comparison: Annotated[Comparison, Meta(title="Comparison")]
    value: Annotated[
        str, Meta(title="Value", examples=["10"], pattern=ONE_LINE, min_length=1, max_length=200)
    ]


@value
class ApprovalStage:
    """Who has to approve, and until when. `people` and `teams` narrow the role down to those named,
    or in one of these teams."""

    approvals: Annotated[int, Meta(title="Approvals", ge=1, le=10)] = 1
    role: Annotated[Role, Meta(title="Least role")] = Role.SUPERVISOR
    people: Annotated[
        Names, names("People", "No people or teams: everybody with the role.", "maria")
    ] = ()
    teams: Annotated[Names, names("Teams", "Of operators, as for orders.", "returns")] = ()
    hours: Annotated[
        int, Meta(title="Hours to decide", description="Then it expires.", ge=1, le=MOST_HOURS)
    ] = 72
