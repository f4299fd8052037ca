"""A request for approval: what people and the console may do with it. Pure.

What a signer sees is fixed by a digest. `ResubmitRequest` begins another round with another digest,
for which earlier signatures do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cqrs_app.kernel.commands.aggregate import Claim, Decision
from cqrs_app.kernel.commands.handling import Rule, handles, rule
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.approvals import events as was
from cqrs_app.platform.approvals import rules
from cqrs_app.platform.approvals.circumstances import Asked
from cqrs_app.platform.approvals.commands import (
    OverrideApproval,
    RecordOutcome,
    RemindSigners,
    RequestApproval,
    ResubmitRequest,
    ReviewOverride,
    SignRequest,
    WithdrawRequest,
)
from cqrs_app.platform.approvals.policy import ApprovalPolicy, ShownEffects, digest_of, stages_of
from cqrs_app.platform.approvals.reminders import of_deadline, remind_at
from cqrs_app.platform.approvals.request_fields import RequestFields
from cqrs_app.platform.approvals.seats import describe, may_review, represented, seat
from cqrs_app.platform.approvals.signer import Signer
from cqrs_app.platform.approvals.types import (
    ApprovalStage,
    OverrideVerdict,
    RequestState,
    SignDecision,
)

UNCHANGED = "Nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The circumstances of a command on a request: who sends it, when, and what the requested
    command would do now: `shown` and `asked`, or `problem`, why it would be refused. `seen` is the
    digest that the request had at the version that was seen, `bulk`: it is one of a batch."""

    signer: Signer
    at: datetime
    shown: ShownEffects | None = None
    problem: str = ""
    stages: tuple[ApprovalStage, ...] = ()
    asked: Asked | None = None
    seen: str = ""
    bulk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: a command as JSON, about a stream, and what conditions and limits find in
    it. `person` is whose personal data it carries."""

    command: str
    stream: str
    person: str
    payload: str
    salt: str
    payload_hash: str
    shown: ShownEffects
    policies: tuple[ApprovalPolicy, ...]
    asking: Signer
    channel: str
    asked: Asked


def in_state(*states: RequestState) -> Rule:
    """Requires a request in one of these states."""

    @rule(rules.NO_SUCH_REQUEST, rules.NOT_OPEN)
    def check(request: ApprovalRequest, request_id: str) -> None:
        if request.state is None:
            raise rules.NO_SUCH_REQUEST(f"There is no request {request_id}. {UNCHANGED}")
        if request.state not in states:
            label = request.state.label.lower()
            raise Refused.because(rules.NOT_OPEN.code, f"The request is {label}.")

    return check


@dataclass
class ApprovalRequest(RequestFields):
    @handles(
        RequestApproval,
        refusals=[
            rules.REQUEST_EXISTS,
            rules.ALREADY_REQUESTED,
            rules.NOBODY_CAN_SIGN,
            rules.NOT_APPROVED,
        ],
    )
    def request(self, command: RequestApproval, wanted: Wanted) -> Decision:
        if self.state is not None:
            raise rules.REQUEST_EXISTS(f"The request exists. {UNCHANGED}")
        taken = rules.ALREADY_REQUESTED(
            "The same is already awaiting approval. Nothing was changed. "
            "Wait for the decision, or withdraw that request first."
        )
        yield Claim("approval", f"{wanted.command} {wanted.stream}", taken)
        yield was.ApprovalRequested(
            request_id=command.request_id,
            command=wanted.command,
            stream=wanted.stream,
            person=wanted.person,
            payload=wanted.payload,
            salt=wanted.salt,
            payload_hash=wanted.payload_hash,
            shown=wanted.shown,
            digest=shown_digest(command.request_id, 1, wanted.payload_hash, wanted.shown),
            policies=wanted.policies,
            stages=stages_of(wanted.policies),
            asked_by=wanted.asking.name,
            asker=wanted.asking.person,
            channel=wanted.channel,
            why=command.reason,
        )

    @handles(
        SignRequest,
        when=in_state(RequestState.OPEN),
        refusals=[
            rules.OWN_REQUEST,
            rules.NOT_A_SIGNER,
            rules.ALREADY_SIGNED,
            rules.NOT_AS_SHOWN,
            rules.CHANGED_SINCE,
            rules.NOT_IN_BULK,
            rules.COMMENT_NEEDED,
            rules.DEADLINE_OVER,
        ],
    )
    def sign(self, command: SignRequest, now: Now) -> Decision:
        self._require_signer(now)
        if now.bulk and not self.bulk:
            raise rules.NOT_IN_BULK(
                f"Its policy wants it signed by itself. {UNCHANGED} Open the request and sign it "
                "there."
            )
        self._require_shown(command.digest or now.seen)
        signed: dict[str, Any] = {
            "request_id": command.request_id,
            "person": now.signer.person,
            "signer": now.signer.name,
            "on_behalf_of": represented(self, now.signer),
            "comment": command.comment,
        }
        match command.decision:
            case SignDecision.REFUSE:
                if self.comment_on_refusal and not command.comment.strip():
                    raise rules.COMMENT_NEEDED(f"Say why you refuse it. {UNCHANGED}")
                yield was.ApprovalRefused(**signed)
                yield self._ended()
            case SignDecision.RETURN:
                yield was.ApprovalReturned(**signed)
            case SignDecision.APPROVE if changed := self._problem(now):
                yield was.ApprovalOutdated(request_id=command.request_id, reason=changed)
            case SignDecision.APPROVE:
                if now.signer.person in self.given:
                    raise rules.ALREADY_SIGNED(f"You have approved this before. {UNCHANGED}")
                yield was.ApprovalSigned(**signed, stage=self.stage, digest=self.digest)
                if self.stage == len(self.stages):
                    yield was.ApprovalGranted(request_id=command.request_id)

    @handles(
        WithdrawRequest,
        when=in_state(RequestState.OPEN, RequestState.RETURNED, RequestState.STALE),
        refusals=[rules.NOT_YOURS],
    )
    def withdraw(self, command: WithdrawRequest, now: Now) -> Decision:
        self._require_asker(now)
        yield was.ApprovalWithdrawn(request_id=command.request_id, comment=command.comment)
        yield self._ended()

    @handles(
        ResubmitRequest,
        when=in_state(RequestState.RETURNED, RequestState.STALE),
        refusals=[rules.NOT_YOURS, rules.MORE_NEEDED],
    )
    def resubmit(self, command: ResubmitRequest, now: Now) -> Decision:
        self._require_asker(now)
        if now.shown is None:
            raise Refused.because(
                rules.NOT_OPEN.code, now.problem, "Withdraw the request, or ask again later."
            )
        if more := [each for each in now.stages if each not in self.stages]:
            raise rules.MORE_NEEDED(
                f"It needs {', then '.join(map(describe, more))} as well now. {UNCHANGED} "
                "Withdraw the request, and send the action again."
            )
        digest = shown_digest(command.request_id, self.round + 1, self.payload_hash, now.shown)
        yield was.ApprovalResubmitted(
            request_id=command.request_id, shown=now.shown, digest=digest, comment=command.comment
        )

    @handles(OverrideApproval, when=in_state(RequestState.OPEN), refusals=[rules.NOT_AS_SHOWN])
    def override(self, command: OverrideApproval, now: Now) -> Decision:
        self._require_shown(command.digest)
        yield was.ApprovalOverridden(
            request_id=command.request_id,
            person=now.signer.person,
            reason=command.reason,
            missing=self.missing,
        )

    @handles(ReviewOverride, refusals=[rules.NO_REVIEW_DUE, rules.NOT_A_REVIEWER])
    def review(self, command: ReviewOverride, now: Now) -> Decision:
        if self.review_due is None:
            raise rules.NO_REVIEW_DUE(f"No override of this request awaits review. {UNCHANGED}")
        if not may_review(self, now.signer):
            raise rules.NOT_A_REVIEWER(
                f"You cannot review this override. {UNCHANGED} Somebody else who could have "
                "approved the request, or another administrator, has to."
            )
        yield was.ApprovalOverrideReviewed(
            request_id=command.request_id,
            person=now.signer.person,
            signer=now.signer.name,
            justified=command.verdict is OverrideVerdict.JUSTIFIED,
            comment=command.comment,
        )

    @handles(RecordOutcome, refusals=[rules.NO_SUCH_REQUEST, rules.NOT_OPEN])
    def record(self, command: RecordOutcome) -> Decision:
        carried_out = command.state in (RequestState.EXECUTED, RequestState.FAILED)
        pending = (
            RequestState.OPEN,
            RequestState.RETURNED,
            RequestState.STALE,
            RequestState.APPROVED,
        )
        in_state(*([RequestState.APPROVED] if carried_out else pending))(self, command.request_id)
        if not carried_out and command.after != self.changes:
            raise rules.NOT_OPEN(f"The request has changed. {UNCHANGED}")
        yield outcome(command)
        if command.state is not RequestState.STALE:
            yield self._ended()

    @handles(RemindSigners, refusals=[rules.NOTHING_TO_REMIND])
    def remind(self, command: RemindSigners) -> Decision:
        if remind_at(self) is None:
            raise rules.NOTHING_TO_REMIND(f"There is nothing to remind of. {UNCHANGED}")
        yield was.ApprovalReminded(
            request_id=command.request_id, of_review=of_deadline(self) is None
        )

    def _require_signer(self, now: Now) -> None:
        if now.signer.person == self.asker:
            raise rules.OWN_REQUEST(
                f"You cannot sign what you asked for. {UNCHANGED} Somebody else has to."
            )
        if seat(self, now.signer) is None and now.signer.person not in self.given:
            raise rules.NOT_A_SIGNER(
                f"It needs {describe(self.stages[self.stage])}, which you are not. {UNCHANGED}"
            )
        if self.due and now.at > self.due:
            raise rules.DEADLINE_OVER(f"The time to decide is over. {UNCHANGED}")

    def _require_shown(self, digest: str) -> None:
        if digest != self.digest:
            raise rules.NOT_AS_SHOWN(
                f"The request is not what you were shown. {UNCHANGED} Look at it again."
            )

    def _problem(self, now: Now) -> str:
        if now.shown is None:
            return f"It would be refused now: {now.problem}"
        return self.change_since(now.shown)

    def _require_asker(self, now: Now) -> None:
        if now.signer.person != self.asker:
            raise rules.NOT_YOURS(f"Only {self.asker}, who asked, can do this. {UNCHANGED}")

    def _ended(self) -> Claim:
        return Claim("approval", "", rules.ALREADY_REQUESTED(""))


def outcome(command: RecordOutcome) -> Event:
    """The event that records what became of a request. Raises Refused for a state of people."""
    here = {"request_id": command.request_id}
    match command.state:
        case RequestState.EXECUTED:
            return was.ApprovalExecuted(**here)
        case RequestState.FAILED:
            return was.ApprovalFailed(**here, reason=command.sentence)
        case RequestState.STALE:
            return was.ApprovalOutdated(**here, reason=command.sentence)
        case RequestState.EXPIRED:
            return was.ApprovalExpired(**here)
        case RequestState.VOID:
            return was.ApprovalVoided(**here)
    raise rules.NOT_OPEN(f"A request is {command.state.label.lower()} by a person. {UNCHANGED}")


def shown_digest(request_id: str, number: int, payload_hash: str, shown: ShownEffects) -> str:
    """The digest of what a signer is shown in a round."""
    return digest_of(request_id, number, payload_hash, shown)
