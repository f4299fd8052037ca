"""Expense claims: submitted, approved in stages, returned for revision, denied, paid."""

from __future__ import annotations

from cqrs_app.areas.expenses import events
from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.expenses.projection import ExpensesProjection
from cqrs_app.areas.expenses.queries import imported, lists, one_claim, statistics
from cqrs_app.areas.expenses.stages import SIGN
from cqrs_app.kernel import Area, actions_of, projected

EXPENSES = Area(
    name="expenses",
    aggregates=[ExpenseClaim],
    events=events,
    projections=[ExpensesProjection()],
    permissions=[*SIGN.values()],
    answers={
        lists.ListExpenseClaims: projected(lists.list_claims),
        lists.CountClaimViews: projected(lists.count_claim_views),
        lists.ChooseExpenseClaims: projected(lists.choose_claims),
        one_claim.GetExpenseClaim: projected(
            one_claim.get_claim, aggregate=ExpenseClaim, strong=one_claim.fold_claim
        ),
        one_claim.ExpenseTimeline: projected(
            one_claim.timeline, aggregate=ExpenseClaim, strong=one_claim.fold_timeline
        ),
        one_claim.ExpenseActions: actions_of(ExpenseClaim),
        statistics.ExpenseStatistics: projected(statistics.expense_flow),
        imported.ImportedExpenseClaims: projected(imported.imported_claims),
    },
)
