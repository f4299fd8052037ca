"""The list of expense claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import BigInteger, ColumnElement, Connection, Row, or_, select, type_coerce

from cqrs_app.areas.expenses.commands import VIEW
from cqrs_app.areas.expenses.read_models import expense_claims
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage, ExpenseStatus
from cqrs_app.kernel import MOST_COUNTS, Count, ListQuery, Page, Query, Sort, counts_of, query

MOST_CHOSEN = 10_000
"""Claims of one page that are chosen for a batch."""
_CLAIM = expense_claims.c
SORTS = MappingProxyType(
    {
        "started_at": Sort((_CLAIM.started_at, _CLAIM.claim_id), datetime),
        "amount": Sort((_CLAIM.amount, _CLAIM.claim_id), Decimal),
        "claim_id": Sort((_CLAIM.claim_id,), str),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseRow:
    """A claim; `stage` is the one that signs next, `since` when it got this status and stage.
    `submissions` counts how often it was submitted, `returned` how often it was sent back.
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
    submissions: int
    returned: int
    flags: int
    started_at: datetime
    since: datetime
    applied_version: int


_COLUMNS = [_CLAIM[name] for name in ExpenseRow.__annotations__]


@query(label="Expense claims", permission=VIEW, reads=("expenses",), cached=True)
class ListExpenseClaims(ListQuery):
    """One page of the expense claims that match. `show`: all, open ones, or those with flags."""

    sorts = SORTS
    q: Annotated[
        str,
        Meta(title="Search", description="A claim's number, or who submitted it.", max_length=200),
    ] = ""
    show: Literal["all", "open", "flagged"] = "all"
    status: Annotated[ExpenseStatus | None, Meta(title="Status")] = None
    stage: Annotated[ExpenseStage | None, Meta(title="Waits for")] = None
    kind: Annotated[ExpenseKind | None, Meta(title="Kind")] = None
    sort: Literal["started_at", "amount", "claim_id"] = "started_at"
    descending: bool = True
    count: Count = False


def list_claims(question: ListExpenseClaims, connection: Connection) -> Page[ExpenseRow]:
    found = select(*_COLUMNS).where(*_conditions(question))
    return question.page(found, connection, _row)


@query(
    label="Expense claims in views", permission=VIEW, reads=("expenses",), cached=True, listed=False
)
class CountClaimViews(Query):
    """How many expense claims each of these questions finds."""

    views: Annotated[tuple[ListExpenseClaims, ...], Meta(max_length=MOST_COUNTS)]


def count_claim_views(question: CountClaimViews, connection: Connection) -> tuple[int, ...]:
    found = (select(_CLAIM.claim_id).where(*_conditions(each)) for each in question.views)
    return counts_of(found, connection)


@dataclass(frozen=True, slots=True)
class ChosenClaim:
    """A claim with the version that its row includes; `amount` in ten-thousandths of `currency`, as
    it is stored."""

    subject: str
    version: int
    amount: int
    currency: str


@query(label="Expense claims for a batch", permission=VIEW, reads=("expenses",), listed=False)
class ChooseExpenseClaims(ListExpenseClaims):
    """One page of the claims that match. `ids` names them instead."""

    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_CHOSEN)] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST_CHOSEN)] = MOST_CHOSEN


def choose_claims(question: ChooseExpenseClaims, connection: Connection) -> Page[ChosenClaim]:
    found = select(*_COLUMNS, type_coerce(_CLAIM.amount, BigInteger).label("units"))
    found = found.where(*_conditions(question))
    if question.ids:
        found = found.where(_CLAIM.claim_id.in_(question.ids))
    return question.page(
        found,
        connection,
        lambda row: ChosenClaim(row.claim_id, row.applied_version, row.units, row.currency),
    )


def _conditions(question: ListExpenseClaims) -> Iterator[ColumnElement[bool]]:
    if question.show == "open":
        yield _CLAIM.is_open.is_(True)
    if question.show == "flagged":
        yield _CLAIM.flags > 0
    if text := question.q.strip():
        yield or_(_CLAIM.claim_id.in_((text, text.upper())), _CLAIM.claimant == text)
    for name in ("status", "stage", "kind"):
        if value := getattr(question, name):
            yield _CLAIM[name] == str(value)


def _row(row: Row[Any]) -> ExpenseRow:
    values = dict(row._mapping)
    values["kind"], values["status"] = ExpenseKind(row.kind), ExpenseStatus(row.status)
    values["stage"] = ExpenseStage(row.stage) if row.stage else None
    return ExpenseRow(**values)
