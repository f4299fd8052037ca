"""The state of a request for approval, as its events leave it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.approvals import events as was
from cqrs_app.platform.approvals.policy import ShownEffects
from cqrs_app.platform.approvals.types import ApprovalStage, RequestState


@dataclass
class RequestFields(Aggregate):
    """`signed` are those who approved, with their stage, and `signed_for` whom they did it for, if
    not for themselves; `stage` is the one that waits. `due` is when the state ends by itself.
    `review_due` is set while what `overrider` did awaits review. `changes` counts its events."""

    category: ClassVar[str] = "approval"
    identity: ClassVar[str] = "request_id"
    shape: ClassVar[int] = 3

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
    bulk: bool = False
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

    @property
    def given(self) -> set[str]:
        """Whose signatures have been given, by themselves or for them."""
        return {*self.signed, *self.signed_for.values()}

    @property
    def last_begun(self) -> ApprovalStage:
        """The stage that waits, or else the last one."""
        return self.stages[min(self.stage, len(self.stages) - 1)]

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
        self.bulk = all(each.bulk for each in event.policies)
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

    def _wait(self, state: RequestState, at: datetime) -> None:
        self.state, self.due = state, at + timedelta(hours=self.last_begun.hours)
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
