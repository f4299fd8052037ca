"""An expense claim: what its owner, those who sign it and those who pay it may do with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cqrs_app.areas.expenses import commands as do
from cqrs_app.areas.expenses import events as was
from cqrs_app.areas.expenses import rules
from cqrs_app.areas.expenses.stages import in_order, rank, stages_of
from cqrs_app.areas.expenses.state import ExpenseState
from cqrs_app.areas.expenses.words import ExpenseStage, ExpenseStatus
from cqrs_app.areas.types import WITHDRAWN_CURRENCY
from cqrs_app.kernel import Command, Decision, Event, Performer, Refused, handles
from cqrs_app.standards.money import exact

_S = ExpenseStatus
_AMOUNT = (rules.NO_AMOUNT, rules.TOO_FINE, WITHDRAWN_CURRENCY)
_SIGNING = (rules.OWN_CLAIM, rules.OTHER_STAGE, rules.NOT_YOUR_STAGE, rules.SIGNED_BEFORE)


@dataclass
class ExpenseClaim(ExpenseState):
    @handles(
        do.DraftExpenseClaim,
        refusals=[rules.EXISTS, rules.NOT_YOURS, *_AMOUNT],
        performer=True,
    )
    def draft(self, command: do.DraftExpenseClaim, *, performer: Performer) -> Decision:
        rules.unused(self)
        if self.status is _S.DRAFT and not performer.history:
            yield from rules.by_claimant(self, performer)
        yield was.ExpenseClaimDrafted(**_details(command), **_who(performer))
        yield from rules.payable(command.amount, command.currency)

    @handles(
        do.SubmitExpenseClaim,
        refusals=[rules.EXISTS, rules.NOT_YOURS, rules.BEFORE_LAST, rules.IN_THE_FUTURE, *_AMOUNT],
        performer=True,
    )
    def submit(self, command: do.SubmitExpenseClaim, *, performer: Performer) -> Decision:
        rules.unused(self)
        if self.status is _S.DRAFT and not performer.history:
            yield from rules.by_claimant(self, performer)
        stages = stages_of(command.kind, command.amount, command.further)
        yield was.ExpenseClaimSubmitted(**_details(command), stages=stages, **_who(performer))
        yield from rules.payable(command.amount, command.currency)

    @handles(
        do.ApproveExpenseClaim,
        when=rules.in_status(_S.SUBMITTED),
        refusals=_SIGNING,
        performer=True,
    )
    def approve(self, command: do.ApproveExpenseClaim, *, performer: Performer) -> Decision:
        stage = command.stage or self.awaited or ExpenseStage.SUPERVISOR
        yield from rules.signing(self, stage, performer)
        signed, needed = {*self.signed_by, stage}, {*self.stages, *command.further}
        if performer.history:
            # Stages that were left out are flagged, not waited for.
            needed = {each for each in needed if rank(each) > rank(stage)}
        left = needed - signed
        yield was.ExpenseClaimApproved(
            claim_id=command.claim_id,
            stage=stage,
            further=in_order({*command.further} - signed),
            complete=not left,
            note=command.note,
            **_who(performer),
        )

    @handles(
        do.RequestRevision,
        when=rules.in_status(_S.SUBMITTED),
        refusals=_SIGNING,
        performer=True,
    )
    def request_revision(self, command: do.RequestRevision, *, performer: Performer) -> Decision:
        stage = command.stage or self._next(performer)
        yield from rules.signing(self, stage, performer)
        yield was.ExpenseRevisionRequested(
            claim_id=command.claim_id,
            stage=stage or "",
            changes=command.changes,
            **_who(performer),
        )

    @handles(
        do.DenyExpenseClaim, when=rules.in_status(_S.SUBMITTED), refusals=_SIGNING, performer=True
    )
    def deny(self, command: do.DenyExpenseClaim, *, performer: Performer) -> Decision:
        stage = command.stage or self._next(performer)
        yield from rules.signing(self, stage, performer)
        yield was.ExpenseClaimDenied(
            claim_id=command.claim_id, stage=stage or "", reason=command.reason, **_who(performer)
        )

    @handles(
        do.ResubmitExpenseClaim,
        when=rules.in_status(_S.REVISION_REQUESTED, _S.WITHDRAWN),
        refusals=[rules.NOT_YOURS, *_AMOUNT],
        performer=True,
    )
    def resubmit(self, command: do.ResubmitExpenseClaim, *, performer: Performer) -> Decision:
        yield from rules.by_claimant(self, performer)
        amount = self.amount if command.amount is None else command.amount
        yield from rules.payable(amount, self.currency)
        yield was.ExpenseClaimResubmitted(
            claim_id=command.claim_id,
            amount=exact(amount, self.currency),
            currency=self.currency,
            stages=stages_of(self.kind, amount, command.further),
            note=command.note,
            **_who(performer),
        )

    @handles(
        do.WithdrawExpenseClaim,
        when=rules.in_status(_S.DRAFT, _S.SUBMITTED, _S.REVISION_REQUESTED),
        refusals=[rules.NOT_YOURS],
        performer=True,
    )
    def withdraw(self, command: do.WithdrawExpenseClaim, *, performer: Performer) -> Decision:
        yield from rules.by_claimant(self, performer)
        yield was.ExpenseClaimWithdrawn(
            claim_id=command.claim_id, note=command.note, **_who(performer)
        )

    @handles(
        do.RequestExpensePayment,
        when=rules.in_status(_S.APPROVED),
        refusals=[rules.OWN_CLAIM],
        performer=True,
    )
    def request_payment(
        self, command: do.RequestExpensePayment, *, performer: Performer
    ) -> Decision:
        yield from rules.not_own(self, performer)
        yield was.ExpensePaymentRequested(
            claim_id=command.claim_id,
            amount=self.amount,
            currency=self.currency,
            **_who(performer),
        )

    @handles(
        do.PayExpenseClaim,
        when=rules.in_status(_S.APPROVED, _S.PAYMENT_REQUESTED),
        refusals=[rules.OWN_CLAIM],
        performer=True,
    )
    def pay(self, command: do.PayExpenseClaim, *, performer: Performer) -> Decision:
        yield from rules.not_own(self, performer)
        yield was.ExpenseClaimPaid(
            claim_id=command.claim_id,
            amount=self.amount,
            currency=self.currency,
            reference=command.reference,
            **_who(performer),
        )

    @handles(do.AddExpenseNote, when=rules.exists, performer=True)
    def add_note(self, command: do.AddExpenseNote, *, performer: Performer) -> Decision:
        yield was.ExpenseNoteAdded(claim_id=command.claim_id, note=command.note, **_who(performer))

    def _next(self, performer: Performer) -> ExpenseStage | None:
        """The stage that signs next; history alone says for which stage somebody signed."""
        return None if performer.history else self.awaited

    def doubts(self, at: datetime, now: datetime) -> Iterator[Refused]:
        yield from rules.out_of_time(self, at, now)

    def flag(self, objection: Refused, command: Command) -> Event | None:
        """Imported history is accepted against the rules, if there is a claim that it happened to,
        or if it begins one.
        """
        if objection.code == WITHDRAWN_CURRENCY.code:
            return None  # it was not withdrawn then
        if objection.code == rules.UNKNOWN.code:
            raise objection
        return was.ExpenseClaimFlagged(
            claim_id=command.claim_id,  # type: ignore[attr-defined]
            task=type(command).__name__,
            code=objection.code,
            sentence=objection.why,
        )


def _details(command: do.DraftExpenseClaim | do.SubmitExpenseClaim) -> dict[str, Any]:
    return {
        "claim_id": command.claim_id,
        "kind": command.kind,
        "purpose": command.purpose,
        "budget": command.budget,
        "amount": exact(command.amount, command.currency),
        "currency": command.currency,
    }


def _who(performer: Performer) -> dict[str, Any]:
    return {"by": performer.name, "activity": performer.activity}
