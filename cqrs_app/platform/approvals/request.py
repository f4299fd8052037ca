"""A request for approval: who has to sign, who has, and what becomes of it. Pure.

What a signer sees is fixed by a digest. `ResubmitRequest` begins another round with another digest,
for which earlier signatures do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate, Claim, Decision
from cqrs_app.kernel.commands.handling import Rule, handles, rule
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals import events as was
from cqrs_app.platform.approvals import rules
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
from cqrs_app.platform.approvals.signer import Signer
from cqrs_app.platform.approvals.types import (
    ApprovalStage,
    OverrideVerdict,
    RequestState,
    SignDecision,
)

UNCHANGED = "Nothing was changed."
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The circumstances of a command on a request: who sends it, when, and what the requested
    command would do now: `shown`, or `problem`, why it would be refused."""

    signer: Signer
    at: datetime
    shown: ShownEffects | None = None
    problem: str = ""
    stages: tuple[ApprovalStage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: a command as JSON, about a stream. `person` is whose personal data it
    carries."""

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
class ApprovalRequest(Aggregate):
    """`signed` are those who approved, with their stage, and `signed_for` whom they did it for, if
    not for themselves; `stage` is the one that waits. `due` is when the state ends by itself.
    `review_due` is set while what `overrider` did awaits review. `changes` counts its events."""

    category: ClassVar[str] = "approval"
    identity: ClassVar[str] = "request_id"
    shape: ClassVar[int] = 2

    state: RequestState | None = None
    command: str = ""
    stream: str = ""
    person: str = ""
    payload_hash: str = ""
    shown: ShownEffects | None = None
    digest: str = ""
    stages: tuple[ApprovalStage, ...] = ()
    policies: tuple[str, ...] = ()
    comment_on_refusal: bool = False
    carry_out_hours: int = 0
    review_hours: int = 24
    asked_by: str = ""
    asker: str = ""
    channel: str = ""
    asked_at: datetime | None = None
    round: int = 0
    stage: int = 0
    signed: dict[str, int] = field(default_factory=dict)
    signed_for: dict[str, str] = field(default_factory=dict)
    due: datetime | None = None
    overrider: str = ""
    review_due: datetime | None = None
    reminded: bool = False
    review_reminded: bool = False
    changes: int = 0

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
        )

    @handles(
        SignRequest,
        when=in_state(RequestState.OPEN),
        refusals=[
            rules.OWN_REQUEST,
            rules.NOT_A_SIGNER,
            rules.ALREADY_SIGNED,
            rules.NOT_AS_SHOWN,
            rules.COMMENT_NEEDED,
            rules.DEADLINE_OVER,
        ],
    )
    def sign(self, command: SignRequest, now: Now) -> Decision:
        self._require_signer(now)
        self._require_shown(command.digest)
        signed: dict[str, Any] = {
            "request_id": command.request_id,
            "person": now.signer.person,
            "signer": now.signer.name,
            "on_behalf_of": self._represented(now.signer),
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
        if not self.may_review(now.signer):
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
        if self.remind_at is None:
            raise rules.NOTHING_TO_REMIND(f"There is nothing to remind of. {UNCHANGED}")
        yield was.ApprovalReminded(
            request_id=command.request_id, of_review=self._deadline_reminder is None
        )

    @property
    def remind_at(self) -> datetime | None:
        """When to remind of the deadline: after three quarters of the time, or a day before; of a
        review, once it is overdue."""
        return self._deadline_reminder or (None if self.review_reminded else self.review_due)

    @property
    def _deadline_reminder(self) -> datetime | None:
        if self.state is RequestState.OPEN and self.due and not self.reminded:
            return self.due - min(DAY, timedelta(hours=self._last_begun.hours) / 4)
        return None

    @property
    def missing(self) -> int:
        """How many approvals are missing, in all stages."""
        needed = sum(each.approvals for each in self.stages)
        return needed - len(self.signed)

    def change_since(self, shown: ShownEffects) -> str:
        """What differs from what was shown; empty if nothing does."""
        if shown == self.shown:
            return ""
        if self.shown and shown.effects != self.shown.effects:
            return "What it would do has changed."
        return "What it is about has changed."

    def may_sign(self, signer: Signer) -> bool:
        """Whether this person is asked now."""
        if self.state is not RequestState.OPEN or signer.person == self.asker:
            return False
        return signer.person not in self.given and self.seat(signer) is not None

    @property
    def given(self) -> set[str]:
        """Whose signatures have been given, by themselves or for them."""
        return {*self.signed, *self.signed_for.values()}

    def seat(self, signer: Signer) -> Signer | None:
        """Whose signature this person can give: their own, or else that of somebody who lets them.
        Nobody's for what that one asked for, or when it has been given."""
        stage, given = self.stages[self.stage], self.given
        for each in (signer, *signer.represents):
            if each.fits(stage) and each.person != self.asker and each.person not in given:
                return each
        return None

    def _represented(self, signer: Signer) -> str:
        """Whom the signature is for, if not for the signer; a word of somebody who has signed
        before is for whom they signed."""
        if signer.person in self.signed:
            return self.signed_for.get(signer.person, "")
        seat = self.seat(signer)
        return seat.person if seat and seat.person != signer.person else ""

    def may_review(self, signer: Signer) -> bool:
        """Whether this person can review the override that awaits it."""
        return self.review_due is not None and self.reviews(signer, self.overrider)

    def reviews(self, signer: Signer, overrider: str) -> bool:
        """Whether this person can review what `overrider` does."""
        if signer.person in (self.asker, overrider):
            return False
        return signer.role == Role.ADMIN or any(map(signer.fits, self.stages))

    def _require_signer(self, now: Now) -> None:
        if now.signer.person == self.asker:
            raise rules.OWN_REQUEST(
                f"You cannot sign what you asked for. {UNCHANGED} Somebody else has to."
            )
        if self.seat(now.signer) is None and now.signer.person not in self.given:
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

    def evolve(self, event: Event, at: datetime) -> None:
        self.changes += 1
        match event:
            case was.ApprovalRequested():
                self._ask(event, at)
            case was.ApprovalSigned():
                self._sign(event)
                here = sum(stage == self.stage for stage in self.signed.values())
                if here >= self.stages[self.stage].approvals:
                    self.stage += 1
                    if self.stage < len(self.stages):
                        self._wait(RequestState.OPEN, at)
            case was.ApprovalGranted() | was.ApprovalOverridden():
                self._grant(event, at)
            case was.ApprovalOverrideReviewed():
                self.review_due = None
            case was.ApprovalReturned() | was.ApprovalOutdated():
                self._wait(_WAITS[type(event)], at)
            case was.ApprovalReminded():
                self.review_reminded |= event.of_review
                self.reminded |= not event.of_review
            case was.ApprovalResubmitted():
                self.shown, self.digest = event.shown, event.digest
                self._begin(at)
            case _:
                self.state, self.due = _ENDS[type(event)], None

    def _ask(self, event: was.ApprovalRequested, at: datetime) -> None:
        self.command, self.stream, self.person = event.command, event.stream, event.person
        self.payload_hash, self.shown, self.digest = event.payload_hash, event.shown, event.digest
        self.asked_by, self.asker, self.channel = event.asked_by, event.asker, event.channel
        self.stages, self.asked_at = event.stages, at
        self.policies = tuple(each.policy for each in event.policies)
        self.comment_on_refusal = any(each.comment_on_refusal for each in event.policies)
        self.carry_out_hours = min(each.carry_out_hours for each in event.policies)
        self.review_hours = min(each.review_hours for each in event.policies)
        self._begin(at)

    def _sign(self, event: was.ApprovalSigned) -> None:
        self.signed[event.person] = event.stage
        if event.on_behalf_of:
            self.signed_for[event.person] = event.on_behalf_of

    def _grant(self, event: was.ApprovalGranted | was.ApprovalOverridden, at: datetime) -> None:
        self.state = RequestState.APPROVED
        self.due = at + timedelta(hours=self.carry_out_hours)
        if isinstance(event, was.ApprovalOverridden):
            self.overrider = event.person
            self.review_due = at + timedelta(hours=self.review_hours)
            self.review_reminded = False

    def _begin(self, at: datetime) -> None:
        self.round, self.stage, self.signed = self.round + 1, 0, {}
        self.signed_for = {}
        self._wait(RequestState.OPEN, at)

    @property
    def _last_begun(self) -> ApprovalStage:
        """The stage that waits, or else the last one."""
        return self.stages[min(self.stage, len(self.stages) - 1)]

    def _wait(self, state: RequestState, at: datetime) -> None:
        self.state, self.due = state, at + timedelta(hours=self._last_begun.hours)
        self.reminded = False


_WAITS = {
    was.ApprovalReturned: RequestState.RETURNED,
    was.ApprovalOutdated: RequestState.STALE,
}
_ENDS = {
    was.ApprovalRefused: RequestState.REFUSED,
    was.ApprovalWithdrawn: RequestState.WITHDRAWN,
    was.ApprovalExecuted: RequestState.EXECUTED,
    was.ApprovalFailed: RequestState.FAILED,
    was.ApprovalExpired: RequestState.EXPIRED,
    was.ApprovalVoided: RequestState.VOID,
}


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
