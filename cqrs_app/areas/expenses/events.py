"""What happened to expense claims.

`by` is the person who did it, or whom imported history names; `activity` is what the source of
imported history calls it, and empty for what was done here.
"""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.kernel import Event, event


@event()
class ExpenseClaimDrafted(Event):
    claim_id: str
    kind: str
    purpose: str
    budget: str
    amount: Decimal
    currency: str
    by: str
    activity: str


@event()
class ExpenseClaimSubmitted(Event):
    """`stages` are those it needs, in their order."""

    claim_id: str
    kind: str
    purpose: str
    budget: str
    amount: Decimal
    currency: str
    stages: tuple[str, ...]
    by: str
    activity: str


@event()
class ExpenseClaimResubmitted(Event):
    """Approvals from before count no more; `stages` are those it needs now."""

    claim_id: str
    amount: Decimal
    currency: str
    stages: tuple[str, ...]
    note: str
    by: str
    activity: str


@event()
class ExpenseClaimApproved(Event):
    """`further` are stages that the claim needs from now on; `complete`: it was the last approval
    that the claim needed."""

    claim_id: str
    stage: str
    further: tuple[str, ...]
    complete: bool
    note: str
    by: str
    activity: str


@event()
class ExpenseRevisionRequested(Event):
    """`stage` is empty where imported history names none."""

    claim_id: str
    stage: str
    changes: str
    by: str
    activity: str


@event()
class ExpenseClaimDenied(Event):
    claim_id: str
    stage: str
    reason: str
    by: str
    activity: str


@event()
class ExpenseClaimWithdrawn(Event):
    claim_id: str
    note: str
    by: str
    activity: str


@event()
class ExpensePaymentRequested(Event):
    claim_id: str
    amount: Decimal
    currency: str
    by: str
    activity: str


@event()
class ExpenseClaimPaid(Event):
    claim_id: str
    amount: Decimal
    currency: str
    reference: str
    by: str
    activity: str


@event()
class ExpenseNoteAdded(Event):
    claim_id: str
    note: str
    by: str
    activity: str


@event()
class ExpenseClaimFlagged(Event):
    """Imported history that today's rules would have refused: `task` is the command's name,
    `code` and `sentence` are the refusal's. What happened follows as an event of its own."""

    claim_id: str
    task: str
    code: str
    sentence: str
