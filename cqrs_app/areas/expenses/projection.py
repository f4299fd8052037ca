"""Expense claims as their list shows them, and the steps of each."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.expenses import events as was
from cqrs_app.areas.expenses.read_models import expense_claims, expense_steps
from cqrs_app.areas.expenses.stages import in_order
from cqrs_app.areas.expenses.state import CLOSED
from cqrs_app.areas.expenses.words import OPEN, ExpenseStage, ExpenseStatus
from cqrs_app.kernel import Key, Projection, Recorded, Row, Rows

_S = ExpenseStatus
_NONE = Decimal(0)


class ExpensesProjection(Projection):
    name: ClassVar[str] = "expenses"
    tables: ClassVar[tuple[Table, ...]] = (expense_claims, expense_steps)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield expense_claims, (event.claim_id,)

    def expense_claim_drafted(
        self, event: was.ExpenseClaimDrafted, recorded: Recorded, rows: Rows
    ) -> None:
        row = _begun(event, recorded, rows)
        _step(rows, recorded, row, "Draft saved", "drafted", _S.DRAFT)

    def expense_claim_submitted(
        self, event: was.ExpenseClaimSubmitted, recorded: Recorded, rows: Rows
    ) -> None:
        row = _begun(event, recorded, rows)
        row |= {"stages": " ".join(event.stages), "submissions": row["submissions"] + 1}
        _step(rows, recorded, row, "Submitted", "submitted", _S.SUBMITTED)

    def expense_claim_resubmitted(
        self, event: was.ExpenseClaimResubmitted, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row |= {"stages": " ".join(event.stages), "signed": "", "amount": event.amount}
        row["submissions"] += 1
        _step(rows, recorded, row, "Resubmitted", "resubmitted", _S.SUBMITTED, event.note)

    def expense_claim_approved(
        self, event: was.ExpenseClaimApproved, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row["signed"] = " ".join(dict.fromkeys([*row["signed"].split(), event.stage]))
        stages = {ExpenseStage(each) for each in (*row["stages"].split(), *event.further)}
        row["stages"] = " ".join(in_order(stages))
        label = f"Approved by {_stage(event.stage)}"
        status = _S.APPROVED if event.complete else None
        _step(rows, recorded, row, label, f"approved {event.stage}", status, event.note)

    def expense_revision_requested(
        self, event: was.ExpenseRevisionRequested, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row |= {"signed": "", "returned": row["returned"] + 1}
        label = f"Revision requested by {_stage(event.stage)}" if event.stage else "Returned"
        step = f"returned {event.stage}".strip()
        _step(rows, recorded, row, label, step, _S.REVISION_REQUESTED, event.changes)

    def expense_claim_denied(
        self, event: was.ExpenseClaimDenied, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        label = f"Denied by {_stage(event.stage)}" if event.stage else "Denied"
        step = f"denied {event.stage}".strip()
        _step(rows, recorded, row, label, step, _S.DENIED, event.reason)

    def expense_claim_withdrawn(
        self, event: was.ExpenseClaimWithdrawn, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row["signed"] = ""
        _step(rows, recorded, row, "Withdrawn", "withdrawn", _S.WITHDRAWN, event.note)

    def expense_payment_requested(
        self, event: was.ExpensePaymentRequested, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        _step(rows, recorded, row, "Payment requested", "payment_requested", _S.PAYMENT_REQUESTED)

    def expense_claim_paid(
        self, event: was.ExpenseClaimPaid, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row["paid"] += event.amount
        _step(rows, recorded, row, "Paid", "paid", _S.PAID, event.reference)

    def expense_note_added(
        self, event: was.ExpenseNoteAdded, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row["applied_version"] = recorded.version
        _enter(rows, recorded, label="Note", text=event.note)

    def expense_claim_flagged(
        self, event: was.ExpenseClaimFlagged, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(expense_claims, event.claim_id)
        row |= {"flags": row["flags"] + 1, "applied_version": recorded.version}
        code = f"{event.task}.{event.code}"
        _enter(rows, recorded, label="Flagged", text=event.sentence, code=code)


def _stage(value: str) -> str:
    return ExpenseStage(value).label.lower()


def _begun(
    event: was.ExpenseClaimDrafted | was.ExpenseClaimSubmitted, recorded: Recorded, rows: Rows
) -> Row:
    """The row of a claim that is new, or a draft."""
    known = rows.get(expense_claims, event.claim_id)
    names = ("claim_id", "kind", "purpose", "budget", "currency", "amount")
    details = {name: getattr(event, name) for name in names}
    if known is None:
        rows.put(
            expense_claims,
            **details,
            claimant="",
            paid=_NONE,
            status="",
            is_open=True,
            **dict.fromkeys(("stage", "stages", "signed", "last_step"), ""),
            **dict.fromkeys(("submissions", "returned", "flags", "applied_version"), 0),
            **dict.fromkeys(("started_at", "since", "last_at"), recorded.occurred_at),
        )
    row = rows.change(expense_claims, event.claim_id)
    row |= details | {"claimant": event.by}
    return row


def _step(
    rows: Rows,
    recorded: Recorded,
    row: Row,
    label: str,
    step: str,
    status: ExpenseStatus | None,
    text: str = "",
) -> None:
    """Enter a step; `status` is the one it leads to, None if it stays the same."""
    at = recorded.occurred_at
    _enter(
        rows,
        recorded,
        label=label,
        text=text,
        step=step,
        previous=row["last_step"],
        seconds=round((at - row["last_at"]).total_seconds()) if row["last_step"] else 0,
    )
    now = (row["status"], row["stage"])
    if status and (row["status"] not in CLOSED or status is _S.PAID):
        row |= {"status": str(status), "is_open": status in OPEN}
    row["stage"] = _awaited(row)
    if now != (row["status"], row["stage"]):
        row["since"] = at
    row |= {"last_step": step, "last_at": at, "applied_version": recorded.version}


def _awaited(row: Row) -> str:
    if row["status"] != _S.SUBMITTED:
        return ""
    signed = row["signed"].split()
    return next((each for each in row["stages"].split() if each not in signed), "")


def _enter(rows: Rows, recorded: Recorded, **values: Any) -> None:
    stored, event = recorded.stored, recorded.event
    rows.put(
        expense_steps,
        **{"text": "", "code": "", "step": "", "previous": "", "seconds": 0} | values,
        claim_id=getattr(event, "claim_id"),  # noqa: B009 - every event of the area has it
        version=stored.version,
        at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        type=stored.type,
        performer=getattr(event, "by", stored.operator),
        activity=getattr(event, "activity", ""),
        command_id=stored.command_id,
    )
