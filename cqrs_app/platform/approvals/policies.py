"""All approval policies, in one stream: its version says whether any has changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals.commands import (
    RemoveApprovalPolicy,
    SetApprovalPolicy,
    UseRecommendedPolicies,
)
from cqrs_app.platform.approvals.events import ApprovalPolicyRemoved, ApprovalPolicySet
from cqrs_app.platform.approvals.policy import ApprovalPolicy
from cqrs_app.platform.approvals.rules import NO_SUCH_POLICY, UNKNOWN_ACTION, UNKNOWN_FIELD

UNCHANGED = "Nothing was changed."


@rule(NO_SUCH_POLICY)
def is_set(policies: ApprovalPolicies, policy: str) -> None:
    if policy not in policies.policies:
        raise NO_SUCH_POLICY.because(f"There is no policy {policy}.")


@dataclass
class ApprovalPolicies(Aggregate):
    """By name, in the order in which they were first set."""

    category: ClassVar[str] = "approval_policies"
    identity: ClassVar[str] = "policy"

    policies: dict[str, ApprovalPolicy] = field(default_factory=dict)

    @classmethod
    def stream_of(cls, identity: str) -> str:
        return POLICIES

    @handles(SetApprovalPolicy, refusals=[UNKNOWN_ACTION, UNKNOWN_FIELD])
    def set(self, command: SetApprovalPolicy) -> Iterator[Event]:
        policy = policy_of(command)
        if self.policies.get(command.policy) != policy:
            yield ApprovalPolicySet(policy=policy)

    @handles(RemoveApprovalPolicy, when=is_set)
    def remove(self, command: RemoveApprovalPolicy) -> Iterator[Event]:
        yield ApprovalPolicyRemoved(policy=command.policy)

    @handles(UseRecommendedPolicies)
    def recommend(self, command: UseRecommendedPolicies) -> Iterator[Event]:
        for each in recommended(command.over, command.currency):
            yield from self.set(each)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case ApprovalPolicySet():
                self.policies[event.policy.policy] = event.policy
            case ApprovalPolicyRemoved():
                self.policies.pop(event.policy, None)


POLICIES = f"{ApprovalPolicies.category}-all"
"""The name of the stream."""


def policy_of(command: SetApprovalPolicy) -> ApprovalPolicy:
    """The policy that the command sets."""
    named = {each.name: getattr(command, each.name) for each in fields(command)}
    return ApprovalPolicy(**named | {"commands": tuple(dict.fromkeys(command.commands))})


def recommended(over: Decimal, currency: str) -> tuple[SetApprovalPolicy, ...]:
    """What a shop should not let one person do alone."""
    return (
        SetApprovalPolicy(policy="refunds", commands=("RefundPayment", "RecordCreditNote")),
        SetApprovalPolicy(
            policy="cancellations",
            commands=("CancelOrder", "CancelRemainingItems"),
            moves_money=True,
        ),
        SetApprovalPolicy(policy="stock", commands=("AdjustStock",)),
        SetApprovalPolicy(
            policy="holds",
            commands=("ReleaseOrder",),
            over=over,
            currency=currency,
            asked_by=(Role.OPERATOR, Role.SUPERVISOR),
        ),
    )
