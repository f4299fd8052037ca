"""The report of an import of approval histories, read from the read models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.expenses.queries.imported import (
    CLAIMS_AT_ONCE,
    ImportedClaim,
    ImportedExpenseClaims,
)
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.transfer.imports.activities import CURRENCY
from cqrs_app.platform.transfer.imports.documents import Taken
from cqrs_app.platform.transfer.imports.report import ReportHead, in_order
from cqrs_app.platform.transfer.imports.spooled import SpooledList

PAID = "Payment Handled"
CASES_WITH: Mapping[str, Callable[[Mapping[str, int]], bool]] = MappingProxyType(
    {
        "a_rejection": lambda counts: _times(counts, " REJECTED by ") > 0,
        "more_than_one_submission": lambda counts: _times(counts, " SUBMITTED by ") > 1,
        "final_approval": lambda counts: _times(counts, " FINAL_APPROVED by ") > 0,
        "more_than_one_final_approval": lambda counts: _times(counts, " FINAL_APPROVED by ") > 1,
        "payment_handled": lambda counts: counts.get(PAID, 0) > 0,
        "payment_handled_twice": lambda counts: counts.get(PAID, 0) > 1,
    }
)
"""What the report counts cases for, from how often each activity occurs in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsReport(ReportHead):
    """Rows are events of the log. From `taken` on, figures are what the read models show of its
    claims: a case has one claim or several, of which the one with its name has its state and
    amount. Amounts are exact, in euros; `amount_paid` is that of cases whose payment was handled.
    """

    taken: int
    cases: int
    claims: int
    events: int
    activities: dict[str, int]
    cases_with: dict[str, int]
    final_states: dict[str, int]
    amount_total: Decimal
    amount_paid: Decimal
    flags: int
    flagged_claims: int
    flags_by_code: dict[str, int]

    @property
    def adds_up(self) -> bool:
        return self.taken + self.set_aside == self.rows

    def as_json(self) -> dict[str, Any]:
        """Plain values. Money is text."""
        money = {name: f"{getattr(self, name):.2f}" for name in ("amount_total", "amount_paid")}
        return in_order(asdict(self) | money | {"currency": CURRENCY})


@dataclass(slots=True)
class _Sums:
    """What the read models show of the claims so far."""

    cases: dict[str, Counter[str]] = field(default_factory=dict)
    activities: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    total: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    taken: int = 0
    flagged: int = 0
    claims: int = 0

    def add(self, claim: ImportedClaim, document: Taken) -> None:
        self.claims += 1
        self.taken += document.rows if _is_complete(claim, document) else 0
        self.flagged += claim.flags > 0
        self.activities.update(claim.activities)
        self.cases.setdefault(document.case, Counter()).update(claim.activities)
        if claim.claim_id == document.case:
            self.states[claim.status] += 1
            self.total += claim.amount
            self.paid += claim.amount if claim.activities.get(PAID) else 0


def read_back(
    kernel: Kernel, actor: Actor, documents: SpooledList[Taken], *, head: ReportHead, **_: Any
) -> ClaimsReport:
    """Query the read models for exactly these claims."""
    sums = _Sums()
    for chunk in documents.chunks(CLAIMS_AT_ONCE):
        some = {each.key: each for each in chunk}
        question = ImportedExpenseClaims(claim_ids=tuple(some))
        found = kernel.queries.ask(question, QueryContext(actor=actor)).value
        sums.flags.update(found.flags)
        for claim in found.claims:
            sums.add(claim, some[claim.claim_id])
    cases = sums.cases.values()
    return ClaimsReport(
        **head.fields,
        taken=sums.taken,
        cases=len(cases),
        claims=sums.claims,
        events=sums.activities.total(),
        activities=dict(sums.activities.most_common()),
        cases_with={name: sum(map(has, cases)) for name, has in CASES_WITH.items()},
        final_states=dict(sums.states.most_common()),
        amount_total=sums.total,
        amount_paid=sums.paid,
        flags=sums.flags.total(),
        flagged_claims=sums.flagged,
        flags_by_code=dict(sorted(sums.flags.items())),
    )


def _is_complete(claim: ImportedClaim, document: Taken) -> bool:
    return sum(claim.activities.values()) >= document.lines


def _times(counts: Mapping[str, int], words: str) -> int:
    return sum(times for activity, times in counts.items() if words in activity)
