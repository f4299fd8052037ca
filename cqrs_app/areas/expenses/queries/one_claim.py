"""One expense claim now, its timeline, and the actions on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from cqrs_app.areas.expenses.commands import VIEW
from cqrs_app.areas.expenses.read_models import expense_claims, expense_steps
from cqrs_app.areas.expenses.types import ClaimId
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage, ExpenseStatus
from cqrs_app.kernel import Query, Rows, query


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseView:
    """A whole claim; money in its currency, times in UTC. `stages` are those it needs, `signed`
    those that have signed since it was submitted, `stage` the next.
    """

    claim_id: str
    kind: ExpenseKind
    claimant: str
    purpose: str
    budget: str
    currency: str
    amount: Decimal
    paid: Decimal
    status: ExpenseStatus
    stage: ExpenseStage | None
    stages: tuple[ExpenseStage, ...]
    signed: tuple[ExpenseStage, ...]
    submissions: int
    returned: int
    flags: int
    started_at: datetime
    since: datetime
    applied_version: int


@query(label="Expense claim", permission=VIEW, reads=("expenses",), cached=True)
class GetExpenseClaim(Query):
    """One expense claim; None if there is none."""

    claim_id: ClaimId


def get_claim(question: GetExpenseClaim, connection: Connection) -> ExpenseView | None:
    found = select(expense_claims).where(expense_claims.c.claim_id == question.claim_id)
    row = connection.execute(found).mappings().first()
    return _view(row) if row else None


def fold_claim(question: GetExpenseClaim, rows: Rows) -> ExpenseView | None:
    return next((_view(row) for row in rows.all(expense_claims)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseStep:
    """One thing that happened to a claim. `activity` is what the source of imported history calls
    it, `code` that of a flag, `seconds` the time since the step before.
    """

    version: int
    at: datetime
    recorded_at: datetime
    type: str
    label: str
    performer: str
    activity: str
    text: str
    code: str
    previous: str
    seconds: int
    command_id: str


_STEP = list(ExpenseStep.__annotations__)


@query(label="Timeline of an expense claim", permission=VIEW, reads=("expenses",), cached=True)
class ExpenseTimeline(Query):
    """The timeline of one expense claim, oldest first."""

    claim_id: ClaimId


def timeline(question: ExpenseTimeline, connection: Connection) -> tuple[ExpenseStep, ...]:
    columns = expense_steps.c
    found = (
        select(*(columns[name] for name in _STEP))
        .where(columns.claim_id == question.claim_id)
        .order_by(columns.version)
    )
    return tuple(ExpenseStep(**row) for row in connection.execute(found).mappings())


def fold_timeline(question: ExpenseTimeline, rows: Rows) -> tuple[ExpenseStep, ...]:
    return tuple(
        ExpenseStep(**{name: row[name] for name in _STEP}) for row in rows.all(expense_steps)
    )


@query(label="What may be done with an expense claim", permission=VIEW)
class ExpenseActions(Query):
    """The actions on one expense claim, each allowed or with the reason why not."""

    claim_id: ClaimId


def _view(row: Mapping[Any, Any]) -> ExpenseView:
    values = {name: row[name] for name in ExpenseView.__annotations__}
    values |= {"kind": ExpenseKind(row["kind"]), "status": ExpenseStatus(row["status"])}
    values["stage"] = ExpenseStage(row["stage"]) if row["stage"] else None
    for name in ("stages", "signed"):
        values[name] = tuple(ExpenseStage(each) for each in row[name].split())
    return ExpenseView(**values)
