"""Whether a policy applies to a command. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from cqrs_app.kernel.messages.messages import value
from cqrs_app.platform.approvals.types import ApprovalStage, Comparison, FieldCondition


@value
class ApprovalPolicy:
    """A policy as it is stored, and as a request keeps it. See SetApprovalPolicy."""

    policy: str
    commands: tuple[str, ...]
    over: Decimal | None
    currency: str
    moves_money: bool
    statuses: tuple[str, ...]
    countries: tuple[str, ...]
    asked_by: tuple[str, ...]
    channels: tuple[str, ...]
    conditions: tuple[FieldCondition, ...]
    stages: tuple[ApprovalStage, ...]
    comment_on_refusal: bool
    carry_out_hours: int
    review_hours: int
    bulk: bool


@value
class SeenVersion:
    """The version of a stream that was seen."""

    stream: str
    version: int


@value
class ShownEffects:
    """What a signer is shown of a command: what it would do now. `versions` are those of the
    streams that it touches, its own first. `amount` is the money at stake, None if there is
    none."""

    effects: tuple[str, ...]
    versions: tuple[SeenVersion, ...]
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What conditions are about. `moved` is the money that the command moves and `worth` that of
    what it is about, by currency."""

    command: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    moved: Mapping[str, Decimal] = field(default_factory=dict)
    worth: Mapping[str, Decimal] = field(default_factory=dict)
    status: str = ""
    country: str = ""
    role: str = ""
    channel: str = ""

    @property
    def at_stake(self) -> Mapping[str, Decimal]:
        return self.moved or self.worth


def canonical(content: Any) -> str:
    """JSON with sorted keys and without spaces: the same text for the same content."""
    return msgspec.json.encode(msgspec.to_builtins(content), order="sorted").decode()


def digest_of(*content: Any) -> str:
    """The SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def applying(
    policies: Iterable[ApprovalPolicy], found: Circumstances
) -> tuple[ApprovalPolicy, ...]:
    """The policies that ask for a signature, in their order."""
    return tuple(each for each in policies if applies(each, found))


def applies(policy: ApprovalPolicy, found: Circumstances) -> bool:
    """Whether all conditions of the policy hold."""
    return (
        found.command in policy.commands
        and (not policy.moves_money or any(found.moved.values()))
        and _over(policy, found)
        and _among(found.status, policy.statuses)
        and _among(found.country, policy.countries)
        and _among(found.role, policy.asked_by)
        and _among(found.channel, policy.channels)
        and all(_holds(each, found.fields) for each in policy.conditions)
    )


def stages_of(policies: Iterable[ApprovalPolicy]) -> tuple[ApprovalStage, ...]:
    """The stages that satisfy all of them: a stage that several have counts once."""
    return tuple(dict.fromkeys(stage for policy in policies for stage in policy.stages))


def _over(policy: ApprovalPolicy, found: Circumstances) -> bool:
    limit = policy.over
    return limit is None or any(
        amount > limit or (amount and currency != policy.currency)
        for currency, amount in found.at_stake.items()
    )


def _among(text: str, listed: tuple[str, ...]) -> bool:
    return not listed or text.casefold() in map(str.casefold, listed)


def _holds(condition: FieldCondition, fields: Mapping[str, Any]) -> bool:
    actual, wanted = _text(fields.get(condition.field)), condition.value
    match condition.comparison:
        case Comparison.IS:
            return actual == wanted or _number(actual) == _number(wanted) is not None
        case Comparison.IS_NOT:
            return actual != wanted and not (_number(actual) == _number(wanted) is not None)
    left, right = _number(actual), _number(wanted)
    if left is None or right is None:
        return False
    return left > right if condition.comparison is Comparison.OVER else left < right


def _text(value: Any) -> str:
    """A field as it is written in JSON, without quotes; empty for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
