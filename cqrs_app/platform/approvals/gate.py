"""The gate: a command that a policy applies to becomes a request, whatever door it came through.

Not asked: history, which has happened; what the console's own processes send, since it follows from
a command that was asked; and dry runs. A request's own command passes once it is approved, and only
with exactly what was signed.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Actor, Context, Receipt, new_id
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.commands.middleware import Proceed
from cqrs_app.kernel.errors import (
    BusError,
    Busy,
    Invalid,
    SwitchedOff,
    TimedOut,
    Unavailable,
    VersionConflict,
)
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, Event, parse
from cqrs_app.platform.approvals import rules
from cqrs_app.platform.approvals.circumstances import SOME_TIME, Asked, circumstances, shown
from cqrs_app.platform.approvals.commands import (
    SIGN,
    DelegateSignatures,
    EndDelegation,
    OverrideApproval,
    RequestApproval,
    ResubmitRequest,
    ReviewOverride,
    SetApprovalPolicy,
    SignRequest,
    WithdrawRequest,
)
from cqrs_app.platform.approvals.delegation import Delegation
from cqrs_app.platform.approvals.events import ApprovalRequested
from cqrs_app.platform.approvals.policies import POLICIES, ApprovalPolicies
from cqrs_app.platform.approvals.policy import (
    ApprovalPolicy,
    applying,
    digest_of,
    stages_of,
)
from cqrs_app.platform.approvals.request import ApprovalRequest, Now, Wanted
from cqrs_app.platform.approvals.seats import require_enough
from cqrs_app.platform.approvals.signer import Signer
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.types import RequestState, SentFrom, SignDecision
from cqrs_app.platform.operators.roles import SYSTEM_NAMES

REQUESTED = "requested"
"""The outcome of a command that became a request."""
AWAITING = "awaiting_approval"
"""What programs read as its status."""
EXECUTION = "approval~"
"""The prefix of the ids of requested commands that are carried out. No door takes a "~" in the id
of a command, so nobody else can use one."""
LATER = (Busy, SwitchedOff, TimedOut, Unavailable)
"""Says nothing about the command."""
_NAMESPACE = uuid.UUID("0f8a3c1e-6d0a-4c53-9a58-2f6f4f2c7b11")
OnRequest = SignRequest | WithdrawRequest | ResubmitRequest | OverrideApproval | ReviewOverride


def request_id_of(command_id: str) -> str:
    """The id of the request that a command becomes."""
    return str(uuid.uuid5(_NAMESPACE, command_id))


def execution_id(request_id: str) -> str:
    """The id under which the requested command is carried out, once."""
    return EXECUTION + request_id


def payload_hash(payload: str, salt: str) -> str:
    """The hash of a command as JSON; requests of earlier releases have no salt."""
    content = msgspec.json.decode(payload)
    return digest_of(salt, content) if salt else digest_of(content)


class KnownPolicies:
    """The policies this process read last, with their version."""

    def __init__(self) -> None:
        self._known: tuple[int, tuple[ApprovalPolicy, ...]] | None = None
        self._lock = threading.Lock()

    def at(self, call: Call) -> tuple[int, tuple[ApprovalPolicy, ...]]:
        """Where the version is old the command conflicts: then call `forget`."""
        return self._known or self.read(call)

    def read(self, call: Call) -> tuple[int, tuple[ApprovalPolicy, ...]]:
        past = call.past(POLICIES)
        policies = ApprovalPolicies()
        for event in past:
            policies.evolve(event, call.received_at)
        found = (len(past), tuple(policies.policies.values()))
        with self._lock:
            if self._known is None or self._known[0] < found[0]:
                self._known = found
        return found

    def forget(self) -> None:
        with self._lock:
            self._known = None


@dataclass(frozen=True, slots=True)
class Gate:
    """`handlers` are of the commands that a policy may be about."""

    handlers: Mapping[type[Command], Handler]
    signers: Signers
    known: KnownPolicies = field(default_factory=KnownPolicies)

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        if isinstance(call.command, DelegateSignatures | EndDelegation):
            self._require_delegate(call.command)
            call.arguments["now"] = Now(
                signer=self.signers.of(call.context.actor.name), at=call.clock()
            )
            return proceed(call)
        if isinstance(call.command, OnRequest):
            call.arguments["now"] = self._now(call, call.command)
            return proceed(call)
        match call.command:
            case RequestApproval():
                raise rules.NOT_APPROVED(
                    "A request is made by the action that needs approval. Nothing was changed. "
                    "Send that action."
                )
            case SetApprovalPolicy():
                self._require_known(call.command)
        if call.context.command_id.startswith(EXECUTION):
            require_approved(call)
        elif not call.dry and self._is_asked(call):
            version, policies = self.known.at(call)
            if any(call.name in policy.commands for policy in policies):
                version, policies = self.known.read(call)
                if wanted := self.wanted(call, policies):
                    request_id = request_id_of(call.context.command_id)
                    call.instead = RequestApproval(request_id=request_id, reason=call.context.why)
                    call.outcome, call.arguments["wanted"] = REQUESTED, wanted
            return self._relying(call, version, proceed)
        return proceed(call)

    def _relying(self, call: Call, version: int, proceed: Proceed) -> Receipt:
        call.relies_on = (POLICIES, version)
        try:
            return proceed(call)
        except VersionConflict as conflict:
            if conflict.stream == POLICIES:
                self.known.forget()
            raise

    def wanted(self, call: Call, policies: Sequence[ApprovalPolicy]) -> Wanted | None:
        """What is asked for in place of a command; None if no policy applies. Raises what that
        would raise, and Refused if too few people could sign."""
        context = replace(call.context, command_id=new_id())
        forecast = call.foresee(call.command, context)
        asking = self.signers.of(context.actor.name)
        found = circumstances(call.command, context, forecast, call.past, asking.role)
        asked = applying(policies, found)
        if not asked:
            return None
        require_enough(stages_of(asked), self.signers.all(), asking.person)
        salt = secrets.token_hex(16)
        return Wanted(
            command=call.name,
            stream=call.stream,
            person=call.command.concerns or forecast.before.belongs_to or call.stream,
            payload=call.payload,
            salt=salt,
            payload_hash=payload_hash(call.payload, salt),
            shown=shown(call.command, forecast, call.past, self.handlers),
            policies=asked,
            asking=asking,
            channel=context.channel,
            asked=Asked(command=call.command, forecast=forecast, found=found),
        )

    def _is_asked(self, call: Call) -> bool:
        return (
            type(call.command) in self.handlers
            and call.context.occurred_at is None
            and call.context.actor.name not in SYSTEM_NAMES
        )

    def _require_known(self, command: SetApprovalPolicy) -> None:
        known = {each.__name__: hints_of(each).keys() for each in self.handlers}
        rules.require_known(command.commands, known)
        for each in command.commands:
            for condition in command.conditions:
                if condition.field not in known[each]:
                    raise rules.UNKNOWN_FIELD(
                        f"{each} has no field {condition.field}. Nothing was changed. "
                        f"It has: {', '.join(sorted(known[each]))}."
                    )

    def _require_delegate(self, command: DelegateSignatures | EndDelegation) -> None:
        if isinstance(command, EndDelegation):
            return
        found = self.signers.actor_now(Actor(command.delegate))
        if command.delegate == command.operator or found is None or not found.may(SIGN):
            raise rules.UNKNOWN_DELEGATE(
                f"{command.delegate} cannot sign for {command.operator}. Nothing was changed. "
                "Name another operator, whose role may sign requests."
            )

    def _now(self, call: Call, command: OnRequest) -> Now:
        signer, at = self.signers.signing(call.context.actor.name), call.clock()
        lets = (each for each in signer.represents if self._lets(call, each, signer, at))
        past = call.past(ApprovalRequest.stream_of(command.request_id))
        now = Now(
            signer=replace(signer, represents=tuple(lets)),
            at=at,
            seen=_digest_at(past, call.context.expected_version),
            bulk=call.context.channel == SentFrom.BATCH,
        )
        approves = isinstance(command, SignRequest) and command.decision is SignDecision.APPROVE
        if not past or not (approves or isinstance(command, ResubmitRequest)):
            return now
        try:
            return self._foreseen(call, past, now)
        except LATER:
            raise
        except (BusError, VersionConflict) as error:
            return replace(now, problem=error.sentence)

    def _lets(self, call: Call, owner: Signer, signer: Signer, at: datetime) -> bool:
        """Whether `owner` lets the signer sign for them, by their stream as it is now."""
        delegation = Delegation()
        for event in call.past(Delegation.stream_of(owner.person)):
            delegation.evolve(event, at)
        return delegation.signs_for(signer.person, at)

    def _foreseen(self, call: Call, past: Sequence[Event], now: Now) -> Now:
        """With what the command of a request would do now, and who would have to approve it. Raises
        what the command would raise."""
        named = {each.__name__: each for each in self.handlers}
        command, context = requested(named, self.signers, past)
        forecast = call.foresee(command, context)
        role = self.signers.of(context.actor.name).role
        found = circumstances(command, context, forecast, call.past, role)
        _, policies = self.known.read(call)
        return replace(
            now,
            shown=shown(command, forecast, call.past, self.handlers),
            stages=stages_of(applying(policies, found)),
            asked=Asked(command=command, forecast=forecast, found=found),
        )


def _digest_at(past: Sequence[Event], version: int | None) -> str:
    """What a signer was shown at a version of the request; empty if there is no such version."""
    if version is None or not 0 < version <= len(past):
        return ""
    request = ApprovalRequest()
    for event in past[:version]:
        request.evolve(event, SOME_TIME)
    return request.digest


def requested(
    commands: Mapping[str, type[Command]], signers: Signers, past: Sequence[Event]
) -> tuple[Command, Context]:
    """The command of a request, as the one who asked would send it now. Raises BusError if its
    values were erased, or that person may not act any more."""
    first = past[0]
    assert isinstance(first, ApprovalRequested)  # noqa: S101 - the first event of each request
    actor = signers.actor_now(Actor(first.asked_by))
    if actor is None:
        raise rules.NOT_APPROVED(f"{first.asked_by}, who asked, may not act any more.")
    try:
        command = parse(commands[first.command], msgspec.json.decode(first.payload))
    except (Invalid, msgspec.MsgspecError):
        raise rules.NOT_APPROVED("The personal data that it needs was erased.") from None
    return command, Context(actor=actor, channel=first.channel)


def require_approved(call: Call) -> None:
    """Let a requested command pass only if it is approved, and is exactly what was signed, on the
    version that was shown. What becomes of the request meanwhile counts."""
    stream = ApprovalRequest.stream_of(call.context.command_id.removeprefix(EXECUTION))
    request, past = ApprovalRequest(), call.past(stream)
    for event in past:
        request.evolve(event, call.received_at)
    salt = past[0].salt if past and isinstance(past[0], ApprovalRequested) else ""
    same = (request.command, request.stream, request.payload_hash) == (
        call.name,
        call.stream,
        payload_hash(call.payload, salt),
    )
    if request.state is not RequestState.APPROVED or request.shown is None or not same:
        raise rules.NOT_APPROVED("This is not approved. Nothing was changed.")
    call.completed_at = request.shown.versions[0].version
    call.relies_on = (stream, len(past))
