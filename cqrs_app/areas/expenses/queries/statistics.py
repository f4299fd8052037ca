"""How claims flow: where they wait and for how long, the time between steps, and rework."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, case, func, select

from cqrs_app.areas.expenses.commands import VIEW
from cqrs_app.areas.expenses.events import ExpenseRevisionRequested
from cqrs_app.areas.expenses.read_models import expense_claims, expense_steps
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage, ExpenseStatus
from cqrs_app.kernel import Query, query

MOST_TRANSITIONS = 40
AGES = (1, 3, 7, 30)
"""Days. A claim is in the first group whose days it has not waited for, or in the last."""
_CLAIM, _STEP = expense_claims.c, expense_steps.c


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingClaims:
    """Open claims of one status, stage and currency. `by_age` counts them by how long they have
    waited: for less than 1, 3, 7 and 30 days, and for longer; `oldest` is since when one has.
    """

    status: ExpenseStatus
    stage: ExpenseStage | None
    currency: str
    claims: int
    amount: Decimal
    by_age: tuple[int, ...]
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """How long it took from one step to the next, in seconds: half took at most `median`, nine in
    ten at most `p90`."""

    previous: str
    step: str
    times: int
    median: int
    p90: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """How many claims were submitted this many times."""

    submissions: int
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseFlow:
    """`step_times` are those of the most frequent pairs of steps. `returned_by` counts how often
    each stage returned a claim; an empty one is unknown.
    """

    waiting: tuple[WaitingClaims, ...]
    step_times: tuple[StepTime, ...]
    submissions: tuple[Submissions, ...]
    returned_by: dict[str, int]


@query(label="Flow of expense claims", permission=VIEW, reads=("expenses",))
class ExpenseStatistics(Query):
    """Open claims by stage and age, the time between steps, and rework."""

    kind: Annotated[ExpenseKind | None, Meta(title="Kind")] = None


def expense_flow(question: ExpenseStatistics, connection: Connection) -> ExpenseFlow:
    of_kind = [_CLAIM.kind == str(question.kind)] if question.kind else []
    return ExpenseFlow(
        waiting=tuple(_waiting(of_kind, connection)),
        step_times=tuple(_step_times(of_kind, connection)),
        submissions=_submissions(of_kind, connection),
        returned_by=_returned_by(of_kind, connection),
    )


Conditions = Sequence[ColumnElement[bool]]


def _waiting(of_kind: Conditions, connection: Connection) -> Iterator[WaitingClaims]:
    now = datetime.now(UTC)
    limits = [now - timedelta(days=days) for days in AGES]
    younger = [
        func.sum(case((_CLAIM.since > limit, 1), else_=0)).label(f"younger_{number}")
        for number, limit in enumerate(limits)
    ]
    group = (_CLAIM.status, _CLAIM.stage, _CLAIM.currency)
    found = (
        select(
            *group,
            func.count().label("claims"),
            func.sum(_CLAIM.amount).label("amount"),
            func.min(_CLAIM.since).label("oldest"),
            *younger,
        )
        .where(_CLAIM.is_open.is_(True), *of_kind)
        .group_by(*group)
    )
    rows = connection.execute(found).all()
    for row in sorted(rows, key=lambda each: _place(each.status, each.stage)):
        reached = [0, *(row._mapping[f"younger_{number}"] for number in range(len(AGES)))]
        reached.append(row.claims)
        yield WaitingClaims(
            status=ExpenseStatus(row.status),
            stage=ExpenseStage(row.stage) if row.stage else None,
            currency=row.currency,
            claims=row.claims,
            amount=row.amount,
            by_age=tuple(later - earlier for earlier, later in pairwise(reached)),
            oldest=row.oldest,
        )


def _place(status: str, stage: str) -> tuple[int, int]:
    """Where a group stands in the usual course of a claim."""
    stages = ["", *ExpenseStage]
    return [*ExpenseStatus].index(ExpenseStatus(status)), stages.index(stage)


def _step_times(of_kind: Conditions, connection: Connection) -> Iterator[StepTime]:
    """Neither database has the other's function for percentiles: the row of each rank is taken."""
    pair = (_STEP.previous, _STEP.step)
    among = select(
        *pair,
        _STEP.seconds,
        func.row_number().over(partition_by=pair, order_by=_STEP.seconds).label("number"),
        func.count().over(partition_by=pair).label("times"),
    ).where(_STEP.previous != "")
    if of_kind:
        among = among.join(expense_claims, _CLAIM.claim_id == _STEP.claim_id).where(*of_kind)
    ranked = among.subquery().c

    def of_rank(share: int) -> ColumnElement[int]:
        """The value that `share` tenths of all are not above."""
        rank = (ranked.times * share + 9) // 10
        return func.max(case((ranked.number == rank, ranked.seconds)))

    found = (
        select(
            ranked.previous,
            ranked.step,
            func.max(ranked.times).label("times"),
            of_rank(5).label("median"),
            of_rank(9).label("p90"),
        )
        .group_by(ranked.previous, ranked.step)
        .order_by(func.max(ranked.times).desc(), ranked.previous, ranked.step)
        .limit(MOST_TRANSITIONS)
    )
    for row in connection.execute(found).mappings():
        yield StepTime(**row)


def _submissions(of_kind: Conditions, connection: Connection) -> tuple[Submissions, ...]:
    times = _CLAIM.submissions
    found = select(times, func.count().label("claims")).where(*of_kind).group_by(times)
    return tuple(Submissions(**row) for row in connection.execute(found.order_by(times)).mappings())


def _returned_by(of_kind: Conditions, connection: Connection) -> dict[str, int]:
    found = select(_STEP.step, func.count()).where(_STEP.type == ExpenseRevisionRequested.__name__)
    if of_kind:
        found = found.join(expense_claims, _CLAIM.claim_id == _STEP.claim_id).where(*of_kind)
    ordered = found.group_by(_STEP.step).order_by(func.count().desc(), _STEP.step)
    rows = connection.execute(ordered)
    return {step.removeprefix("returned").strip(): count for step, count in rows}
