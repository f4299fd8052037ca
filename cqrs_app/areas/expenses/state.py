"""The state of an expense claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from cqrs_app.areas.expenses import events as was
from cqrs_app.areas.expenses.stages import in_order
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage, ExpenseStatus
from cqrs_app.kernel import Aggregate, Event

_S = ExpenseStatus
CLOSED = (_S.PAID, _S.DENIED)
"""A claim that was paid or denied stays so, whatever imported history has after it."""


@dataclass
class ExpenseState(Aggregate):
    """`stages` are those it needs, `signed_by` who signed for which since it was submitted.
    `last_at` and `previous_at` are the times of its last two steps.
    """

    category: ClassVar[str] = "expense_claim"
    identity: ClassVar[str] = "claim_id"

    claim_id: str = ""
    status: ExpenseStatus | None = None
    kind: ExpenseKind = ExpenseKind.EXPENSES
    claimant: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    stages: list[ExpenseStage] = field(default_factory=list)
    signed_by: dict[ExpenseStage, str] = field(default_factory=dict)
    last_at: datetime | None = None
    previous_at: datetime | None = None

    @property
    def worth(self) -> Mapping[str, Decimal]:
        return {self.currency: self.amount} if self.currency else {}

    @property
    def awaited(self) -> ExpenseStage | None:
        """The stage that signs next."""
        if self.status is not _S.SUBMITTED:
            return None
        return next((each for each in self.stages if each not in self.signed_by), None)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case was.ExpenseClaimFlagged():
                return
            case was.ExpenseClaimDrafted() | was.ExpenseClaimSubmitted():
                self.claim_id, self.claimant = event.claim_id, event.by
                self.kind = ExpenseKind(event.kind)
        self._count(event)
        self.status = _after(event, self.status)
        self.previous_at, self.last_at = self.last_at, at

    def _count(self, event: Event) -> None:
        match event:
            case was.ExpenseClaimDrafted():
                self.amount, self.currency = event.amount, event.currency
            case was.ExpenseClaimSubmitted() | was.ExpenseClaimResubmitted():
                self.amount, self.currency = event.amount, event.currency
                self.stages, self.signed_by = [ExpenseStage(each) for each in event.stages], {}
            case was.ExpenseClaimApproved():
                self.signed_by[ExpenseStage(event.stage)] = event.by
                further = map(ExpenseStage, event.further)
                self.stages = [*in_order({*self.stages, *further})]
            case was.ExpenseRevisionRequested() | was.ExpenseClaimWithdrawn():
                self.signed_by = {}


def _after(event: Event, status: ExpenseStatus | None) -> ExpenseStatus | None:
    """The status after an event."""
    if status in CLOSED and not isinstance(event, was.ExpenseClaimPaid):
        return status
    match event:
        case was.ExpenseClaimDrafted():
            return _S.DRAFT
        case was.ExpenseClaimSubmitted() | was.ExpenseClaimResubmitted():
            return _S.SUBMITTED
        case was.ExpenseClaimApproved():
            return _S.APPROVED if event.complete else status
        case was.ExpenseRevisionRequested():
            return _S.REVISION_REQUESTED
        case was.ExpenseClaimDenied():
            return _S.DENIED
        case was.ExpenseClaimWithdrawn():
            return _S.WITHDRAWN
        case was.ExpensePaymentRequested():
            return _S.PAYMENT_REQUESTED
        case was.ExpenseClaimPaid():
            return _S.PAID
    return status
