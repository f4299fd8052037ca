"""What people do with approval policies and requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.areas.types import Currency, CurrencyOrAny, money
from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.platform.approvals.types import (
    MOST_HOURS,
    ApprovalStage,
    Comment,
    Digest,
    DigestOrVersion,
    FieldCondition,
    Names,
    Operator,
    OverrideVerdict,
    PolicyName,
    RequestId,
    RequestState,
    SentFrom,
    SignDecision,
    Why,
    names,
)
from cqrs_app.standards.countries import country_name, is_country

VIEW = Permission("approvals.view", Role.VIEWER)
REQUEST = Permission("approvals.request", Role.OPERATOR)
SIGN = Permission("approvals.sign", Role.OPERATOR)
OVERRIDE = Permission("approvals.override", Role.ADMIN)
MANAGE = Permission("approvals.manage", Role.ADMIN)
RUN = Permission("approvals.run", None)
"""What the console does itself: record requests, and what became of them."""


Actions = Annotated[
    Names,
    Meta(
        title="Actions",
        description="Names of commands, one per line, such as RefundPayment.",
        examples=[["RefundPayment"]],
        min_length=1,
        max_length=50,
        extra={"spellcheck": "false"},
    ),
]
Over = Annotated[
    Decimal | None,
    money("Amount over", description="What the action moves, or else what it is about."),
]
OverCurrency = Annotated[
    CurrencyOrAny,
    Meta(
        description="Of the amount, three letters such as GBP. Another currency counts as over it."
    ),
]
MovesMoney = Annotated[
    bool, Meta(title="Only if money moves", description="For example, if it refunds a payment.")
]
Statuses = Annotated[Names, names("Statuses", "Of the order, before the action.", "approved")]
Countries = Annotated[Names, names("Countries", "Of the order.", "Ireland")]
AskedBy = Annotated[tuple[Role, ...], Meta(title="Requested by", max_length=4)]
Channels = Annotated[tuple[SentFrom, ...], Meta(title="Sent from", max_length=4)]
Conditions = Annotated[
    tuple[FieldCondition, ...],
    Meta(title="Further conditions", description="On fields of the action.", max_length=10),
]


@command(label="Set approval policy", permission=MANAGE, minds_version=True, step_up=True)
class SetApprovalPolicy(Command):
    """Ask for a second signature before these actions are carried out. All conditions that are
    given must hold."""

    policy: PolicyName
    commands: Actions
    over: Over = None
    currency: OverCurrency = ""
    moves_money: MovesMoney = False
    statuses: Statuses = ()
    countries: Countries = ()
    asked_by: AskedBy = ()
    channels: Channels = ()
    conditions: Conditions = ()
    stages: Annotated[
        tuple[ApprovalStage, ...],
        Meta(title="Stages", description="One after the other.", max_length=5, extra={"rows": 1}),
    ] = (ApprovalStage(),)
    comment_on_refusal: Annotated[bool, Meta(title="A refusal needs a comment")] = True
    carry_out_hours: Annotated[
        int, Meta(title="Hours to be carried out, once approved", ge=1, le=MOST_HOURS)
    ] = 24
    review_hours: Annotated[
        int,
        Meta(
            title="Hours to review an override",
            description="Somebody else then has to say whether it was justified.",
            ge=1,
            le=MOST_HOURS,
        ),
    ] = 24
    bulk: Annotated[
        bool,
        Meta(title="May be signed in bulk", description="Several requests at once, in a batch."),
    ] = False

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.stages:
            yield "stages", NEEDED
        yield from problems_of(self)


def problems_of(terms: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with the conditions of a policy. One on what no order has would never hold."""
    if terms.over is not None and not terms.currency:
        yield "currency", NEEDED
    for status in terms.statuses:
        if status.casefold() not in list(OrderStatus):
            yield "statuses", f"{status} is no status. Use {', '.join(OrderStatus)}."
    for country in terms.countries:
        if not is_country(country):
            name = country_name(country)
            known = is_country(name)
            yield "countries", f"Write {name}." if known else f"{country} is no country."


@command(
    label="Remove approval policy",
    permission=MANAGE,
    minds_version=True,
    risky=True,
    step_up=True,
)
class RemoveApprovalPolicy(Command):
    """Stop asking for a second signature. Open requests stay as they are."""

    policy: PolicyName


@command(label="Use recommended policies", permission=MANAGE, step_up=True)
class UseRecommendedPolicies(Command):
    """Require a second signature for refunds and credit notes, cancellations of paid orders, stock
    adjustments, and the release of large orders on hold."""

    policy: Annotated[PolicyName, Meta(extra={"widget": "hidden"})] = "recommended"
    over: Annotated[
        Decimal,
        money(
            "Orders on hold over", description="Releasing a larger one needs a second signature."
        ),
    ]
    currency: Annotated[Currency, Meta(extra={"help": "Three letters, such as GBP."})]


@command(label="Request approval", permission=RUN)
class RequestApproval(Command):
    """Recorded by the console in place of a command that a policy applies to."""

    request_id: RequestId
    reason: Why = ""


@command(label="Sign request", permission=SIGN)
class SignRequest(Command):
    """Approve, refuse or return a request, exactly as it was shown."""

    request_id: RequestId
    decision: Annotated[SignDecision, Meta(title="Decision")]
    digest: DigestOrVersion = ""
    comment: Comment = ""

    def check(self) -> Iterator[tuple[str, str]]:
        if self.decision is SignDecision.RETURN and not self.comment.strip():
            yield "comment", NEEDED


@command(label="Withdraw request", permission=REQUEST, risky=True)
class WithdrawRequest(Command):
    """Take the request back. Nothing is carried out."""

    request_id: RequestId
    comment: Comment = ""


@command(label="Request again", permission=REQUEST)
class ResubmitRequest(Command):
    """Ask again for the same, as it is now. Earlier signatures no longer count."""

    request_id: RequestId
    comment: Comment = ""


@command(label="Override approval", permission=OVERRIDE, risky=True, step_up=True)
class OverrideApproval(Command):
    """In an emergency: carry it out without the missing signatures. An alert is raised until
    somebody else has reviewed it."""

    request_id: RequestId
    digest: Digest
    reason: Annotated[Comment, Meta(title="Reason", min_length=1)]

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.reason.strip():
            yield "reason", NEEDED


@command(label="Review override", permission=SIGN)
class ReviewOverride(Command):
    """Say whether carrying it out without the missing signatures was justified. This ends the
    alert."""

    request_id: RequestId
    verdict: Annotated[OverrideVerdict, Meta(title="Verdict")]
    comment: Annotated[Comment, Meta(min_length=1)]

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.comment.strip():
            yield "comment", NEEDED


@command(label="Delegate signatures", permission=SIGN)
class DelegateSignatures(Command):
    """Let somebody else sign for you until a time, for example during a holiday. They never sign
    what either of you asked for, and cannot pass it on."""

    operator: Operator
    delegate: Annotated[Operator, Meta(title="Signs for you")]
    until: Annotated[datetime, Meta(title="Until", tz=True)]


@command(label="End delegation", permission=SIGN)
class EndDelegation(Command):
    """Nobody signs for you any more."""

    operator: Operator


@command(label="Remind signers", permission=RUN)
class RemindSigners(Command):
    """Sent by the console before the time to decide is over, and once a review is overdue."""

    request_id: RequestId


@command(label="Record outcome", permission=RUN)
class RecordOutcome(Command):
    """What became of a request: carried out, failed, out of date, expired or void."""

    request_id: RequestId
    after: Annotated[int, Meta(title="After version", ge=1)]
    state: Annotated[RequestState, Meta(title="State")]
    sentence: Comment = ""
