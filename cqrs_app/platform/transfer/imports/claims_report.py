"""The report of an import of approval histories, read from the read models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.expenses.queries.imported import (
    CLAIMS_AT_ONCE,
    ImportedClaim,
    ImportedClaims,
    ImportedExpenseClaims,
)
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.transfer.imports.documents import Contents, Taken
from cqrs_app.platform.transfer.imports.report import described

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
class ClaimsReport:
    """Rows are events of the log. From `cases` on, figures are what the read models show of its
    claims: a case has one claim or several, of which the one with its name has its state and
    amount. Amounts are exact, in euros; `amount_paid` is that of cases whose payment was handled.
    """

    rows: int
    taken: int
    set_aside: int
    set_aside_by_reason: dict[str, int]
    set_aside_examples: list[dict[str, Any]]
    files: dict[str, dict[str, Any]]
    refused_by_code: dict[str, int]
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
    commands_per_second: float

    @property
    def adds_up(self) -> bool:
        return self.taken + self.set_aside == self.rows

    def as_json(self) -> dict[str, Any]:
        """Plain values. Money is text."""
        money = {name: f"{getattr(self, name):.2f}" for name in ("amount_total", "amount_paid")}
        rate = {"commands_per_second": round(self.commands_per_second, 1)}
        return asdict(self) | money | rate


def read_back(
    kernel: Kernel,
    actor: Actor,
    documents: Sequence[Taken],
    *,
    contents: Contents,
    set_aside_by_reason: dict[str, int],
    set_aside_examples: list[dict[str, Any]],
    refused_by_code: dict[str, int],
    per_second: float,
    **_: Any,
) -> ClaimsReport:
    """Query the read models for exactly these claims."""
    activities, flags, states = Counter[str](), Counter[str](), Counter[str]()
    cases: dict[str, Counter[str]] = {}
    total, paid = Decimal(0), Decimal(0)
    taken = flagged = claims = 0
    for some, found in _found(kernel, actor, documents):
        flags.update(found.flags)
        for claim in found.claims:
            document = some[claim.claim_id]
            claims += 1
            taken += document.rows if _is_complete(claim, document) else 0
            flagged += claim.flags > 0
            activities.update(claim.activities)
            cases.setdefault(document.case, Counter()).update(claim.activities)
            if claim.claim_id == document.case:
                states[claim.status] += 1
                total += claim.amount
                paid += claim.amount if claim.activities.get(PAID) else 0
    return ClaimsReport(
        rows=contents.rows,
        taken=taken,
        set_aside=sum(set_aside_by_reason.values()),
        set_aside_by_reason=set_aside_by_reason,
        set_aside_examples=set_aside_examples,
        files=described(contents),
        refused_by_code=refused_by_code,
        cases=len(cases),
        claims=claims,
        events=activities.total(),
        activities=dict(activities.most_common()),
        cases_with={name: sum(map(has, cases.values())) for name, has in CASES_WITH.items()},
        final_states=dict(states.most_common()),
        amount_total=total,
        amount_paid=paid,
        flags=flags.total(),
        flagged_claims=flagged,
        flags_by_code=dict(sorted(flags.items())),
        commands_per_second=per_second,
    )


def _found(
    kernel: Kernel, actor: Actor, documents: Sequence[Taken]
) -> Iterator[tuple[dict[str, Taken], ImportedClaims]]:
    for start in range(0, len(documents), CLAIMS_AT_ONCE):
        some = {each.key: each for each in documents[start : start + CLAIMS_AT_ONCE]}
        question = ImportedExpenseClaims(claim_ids=tuple(some))
        yield some, kernel.queries.ask(question, QueryContext(actor=actor)).value


def _is_complete(claim: ImportedClaim, document: Taken) -> bool:
    return sum(claim.activities.values()) >= document.lines


def _times(counts: Mapping[str, int], words: str) -> int:
    return sum(times for activity, times in counts.items() if words in activity)
