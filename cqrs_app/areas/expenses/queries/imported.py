"""What the read models hold of an import: exactly the named claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.areas.expenses.read_models import expense_claims, expense_steps
from cqrs_app.areas.expenses.types import ClaimId
from cqrs_app.kernel import Query, query
from cqrs_app.kernel.effects import HISTORY

CLAIMS_AT_ONCE = 400
_CLAIM, _STEP = expense_claims.c, expense_steps.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedClaim:
    """`activities` counts its steps by what their source calls them."""

    claim_id: str
    status: str
    currency: str
    amount: Decimal
    paid: Decimal
    flags: int
    activities: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedClaims:
    """The claims that are there. `flags` counts flags by task and code, such as
    “ApproveExpenseClaim.other_stage”.
    """

    claims: tuple[ImportedClaim, ...]
    flags: Mapping[str, int]


@query(label="Imported expense claims", permission=HISTORY, reads=("expenses",))
class ImportedExpenseClaims(Query):
    """Claims that do not exist are missing from the answer."""

    claim_ids: Annotated[tuple[ClaimId, ...], Meta(max_length=CLAIMS_AT_ONCE)] = ()


def imported_claims(question: ImportedExpenseClaims, connection: Connection) -> ImportedClaims:
    mine = _STEP.claim_id.in_(question.claim_ids)
    counted = (
        select(_STEP.claim_id, _STEP.activity, func.count())
        .where(mine, _STEP.activity != "")
        .group_by(_STEP.claim_id, _STEP.activity)
    )
    activities: dict[str, Counter[str]] = {}
    for claim_id, activity, count in connection.execute(counted):
        activities.setdefault(claim_id, Counter())[activity] = count
    names = ("claim_id", "status", "currency", "amount", "paid", "flags")
    found = select(*(_CLAIM[name] for name in names)).where(_CLAIM.claim_id.in_(question.claim_ids))
    flags = select(_STEP.code, func.count()).where(mine, _STEP.code != "").group_by(_STEP.code)
    return ImportedClaims(
        claims=tuple(
            ImportedClaim(**row, activities=activities.get(row["claim_id"], {}))
            for row in connection.execute(found).mappings()
        ),
        flags=dict(connection.execute(flags).all()),
    )
