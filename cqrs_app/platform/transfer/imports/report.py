"""The report of an import, read from the read models once they are up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, TypeVar

from cqrs_app.areas.desk.queries.import_totals import IDS_AT_ONCE, ImportedTotals, ImportTotals
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.transfer.imports.documents import Contents, Taken
from cqrs_app.platform.transfer.imports.newcomers import NewcomerCounts

K = TypeVar("K")

SHOWN_PLACES = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`taken`, orders, customers, flags and money are what the read models show of this file's
    documents. Money is exact, credits are negative; `currency` is empty where there are several.
    `total` is what the orders cost, with discounts, shipping and tax, `gross` their lines.
    `goods` is `gross` without `charges`, which are
    freight and the like. `set_aside_examples` has the first row for each reason and column, `files`
    how each file was read, `differing_times` the documents whose rows have different times, of
    which the first was used. `refused_by_code` counts later steps of imported orders.
    `registered_customers` and `products` were imported with these documents, now or in an earlier
    run. `there_already` counts, per kind, those that existed otherwise and were left unchanged."""

    rows: int
    taken: int
    set_aside: int
    set_aside_by_reason: dict[str, int]
    set_aside_examples: list[dict[str, Any]]
    files: dict[str, dict[str, Any]]
    differing_times: int
    refused_by_code: dict[str, int]
    orders: int
    orders_by_status: dict[str, int]
    credit_notes: int
    customers: int
    customers_with_orders: int
    guest_orders: int
    total: Decimal
    currency: str
    gross: Decimal
    goods: Decimal
    charges: Decimal
    credited: Decimal
    flags: int
    flagged_orders: int
    flags_by_code: dict[str, int]
    registered_customers: int
    products: int
    there_already: dict[str, int]
    commands_per_second: float

    @property
    def adds_up(self) -> bool:
        return self.taken + self.set_aside == self.rows

    def as_json(self) -> dict[str, Any]:
        """Plain values. Money is text with at least three decimals."""
        money = {name: money_text(getattr(self, name)) for name in _MONEY}
        rate = {"commands_per_second": round(self.commands_per_second, 1)}
        return asdict(self) | money | rate


_MONEY = ("total", "gross", "goods", "charges", "credited")


def money_text(amount: Decimal) -> str:
    """Exact, with three decimals if they suffice."""
    short = amount.quantize(SHOWN_PLACES)
    return str(short if short == amount else amount)


def described(contents: Contents) -> dict[str, dict[str, Any]]:
    """Name of each file -> its format, and the columns that were ignored."""
    return {
        name: file.format.as_json()
        | ({"ignored": list(file.ignored)} if file.ignored else {})
        | ({"missing": list(file.missing)} if file.missing else {})
        for name, file in contents.files.items()
    }


def read_back(
    kernel: Kernel,
    actor: Actor,
    documents: list[Taken],
    *,
    contents: Contents,
    set_aside_by_reason: dict[str, int],
    set_aside_examples: list[dict[str, Any]],
    refused_by_code: dict[str, int],
    newcomer_counts: NewcomerCounts,
    is_charge: Callable[[str], bool],
    per_second: float,
) -> Report:
    """Query the read models for exactly these documents."""
    totals: list[ImportedTotals] = []
    taken = 0
    for start in range(0, len(documents), IDS_AT_ONCE):
        some = documents[start : start + IDS_AT_ONCE]
        question = ImportTotals(
            order_ids=tuple(each.key for each in some if each.kind == "order"),
            credit_note_ids=tuple(each.key for each in some if each.kind == "credit_note"),
        )
        found: ImportedTotals = kernel.queries.ask(question, QueryContext(actor=actor)).value
        shown = {"order": found.lines, "credit_note": found.credit_lines}
        taken += sum(each.rows for each in some if shown[each.kind].get(each.key) == each.lines)
        totals.append(found)
    ordering = {customer for each in totals for customer in each.customers}
    credited = {customer for each in totals for customer in each.credited_customers}
    flags = _sum(Counter(each.flags) for each in totals)
    sold = [pair for each in totals for pair in each.sold.items()]
    currencies = {each.currency for each in totals if each.orders or each.credit_notes}
    gross = sum((amount for _, amount in sold), Decimal(0))
    charged = sum((amount for sku, amount in sold if is_charge(sku)), Decimal(0))
    return Report(
        rows=contents.rows,
        taken=taken,
        set_aside=sum(set_aside_by_reason.values()),
        set_aside_by_reason=set_aside_by_reason,
        set_aside_examples=set_aside_examples,
        files=described(contents),
        differing_times=contents.differing_times,
        refused_by_code=refused_by_code,
        orders=sum(each.orders for each in totals),
        orders_by_status=dict(_sum(Counter(each.statuses) for each in totals)),
        credit_notes=sum(each.credit_notes for each in totals),
        customers=len(ordering | credited),
        customers_with_orders=len(ordering),
        guest_orders=sum(each.guests for each in totals),
        total=sum((each.total for each in totals), Decimal(0)),
        currency=currencies.pop() if len(currencies) == 1 else "",
        gross=gross,
        goods=gross - charged,
        charges=charged,
        credited=-sum((each.credited for each in totals), Decimal(0)),
        flags=flags.total(),
        flagged_orders=sum(each.flagged_orders for each in totals),
        flags_by_code=dict(sorted(flags.items())),
        **newcomer_counts.figures(),
        commands_per_second=per_second,
    )


def _sum(counters: Iterable[Counter[K]]) -> Counter[K]:
    total: Counter[K] = Counter()
    for each in counters:
        total.update(each)
    return total
