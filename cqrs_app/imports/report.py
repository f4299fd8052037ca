"""The figures of an import, read back from the read models once they have caught up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from cqrs_app.imports.documents import Document
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.context import Actor
from cqrs_app.kernel.query_bus import Asker
from cqrs_app.orders.queries.import_totals import IDS_AT_ONCE, ImportTotals

SHOWN_PLACES = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`taken`, orders, customers and money are what the read models show of this file's
    documents; money is exact, credits are negative."""

    rows: int
    taken: int
    set_aside: int
    set_aside_by_reason: dict[str, int]
    orders: int
    credit_notes: int
    customers: int
    customers_with_orders: int
    guest_orders: int
    gross: Decimal
    credited: Decimal
    commands_per_second: float

    @property
    def adds_up(self) -> bool:
        return self.taken + self.set_aside == self.rows

    def as_json(self) -> dict[str, Any]:
        """Plain values; money as text with at least three decimals."""
        return asdict(self) | {
            "gross": money_text(self.gross),
            "credited": money_text(self.credited),
            "commands_per_second": round(self.commands_per_second, 1),
        }


def money_text(amount: Decimal) -> str:
    """Exact, with three decimals where they are enough."""
    short = amount.quantize(SHOWN_PLACES)
    return str(short if short == amount else amount)


def read_back(
    kernel: Kernel,
    actor: Actor,
    documents: list[Document],
    *,
    rows: int,
    reasons: dict[str, int],
    per_second: float,
) -> Report:
    """Ask the read models for exactly these documents."""
    totals = []
    for start in range(0, len(documents), IDS_AT_ONCE):
        some = documents[start : start + IDS_AT_ONCE]
        question = ImportTotals(
            order_ids=tuple(each.key for each in some if each.kind == "order"),
            credit_note_ids=tuple(each.key for each in some if each.kind == "credit_note"),
        )
        totals.append(kernel.queries.ask(question, Asker(actor=actor)).value)
    ordering = {customer for each in totals for customer in each.customers}
    credited = {customer for each in totals for customer in each.credited_customers}
    return Report(
        rows=rows,
        taken=sum(each.lines + each.credit_lines for each in totals),
        set_aside=sum(reasons.values()),
        set_aside_by_reason=reasons,
        orders=sum(each.orders for each in totals),
        credit_notes=sum(each.credit_notes for each in totals),
        customers=len(ordering | credited),
        customers_with_orders=len(ordering),
        guest_orders=sum(each.guests for each in totals),
        gross=sum((each.gross for each in totals), Decimal(0)),
        credited=-sum((each.credited for each in totals), Decimal(0)),
        commands_per_second=per_second,
    )
