"""The report of an import, read from the read models once they are up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

from cqrs_app.areas.desk.queries.import_totals import IDS_AT_ONCE, ImportedTotals, ImportTotals
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.transfer.imports.documents import Contents, Profile, Taken
from cqrs_app.platform.transfer.imports.newcomers import NewcomerCounts
from cqrs_app.platform.transfer.imports.spooled import SpooledList

SHOWN_PLACES = Decimal("0.001")
MOST_EXAMPLES = 50
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHead:
    """What every report begins with. `set_aside_examples` has the first row for each reason and
    column, `files` how each file was read, `differing_times` the documents whose rows have
    different times, of which the first was used. `refused_by_code` counts later steps of imported
    documents. `commands` were carried out, or were done before, in these `seconds`, which include
    reading the file; the rate is that of the commands alone."""

    rows: int
    set_aside: int
    set_aside_by_reason: dict[str, int]
    set_aside_examples: list[dict[str, Any]]
    files: dict[str, dict[str, Any]]
    differing_times: int
    refused_by_code: dict[str, int]
    commands: int
    seconds: float
    commands_per_second: float

    @classmethod
    def of(
        cls,
        profile: Profile,
        contents: Contents,
        *,
        refused_by_code: Mapping[str, int],
        commands: int,
        seconds: float,
        per_second: float,
    ) -> ReportHead:
        return cls(
            rows=contents.rows,
            set_aside=len(contents.set_aside),
            set_aside_by_reason=counted_by_reason(profile, contents),
            set_aside_examples=examples(contents),
            files=described(contents),
            differing_times=contents.differing_times,
            refused_by_code=dict(refused_by_code),
            commands=commands,
            seconds=round(seconds, 1),
            commands_per_second=round(per_second, 1),
        )

    @property
    def fields(self) -> dict[str, Any]:
        """Its fields, for a report that begins with them."""
        return {each.name: getattr(self, each.name) for each in fields(ReportHead)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(ReportHead):
    """`taken`, orders, customers, flags and money are what the read models show of this file's
    documents. Money is exact, credits are negative; `currency` is empty where there are several.
    `total` is what the orders cost, with discounts, shipping and tax, `gross` their lines;
    `orders_by_currency` and `total_by_currency` are the orders and the total of each currency.
    `goods` is `gross` without `charges`, which are freight and the like.
    `registered_customers` and `products` were imported with these documents, now or in an earlier
    run. `there_already` counts, per kind, those that existed otherwise and were left unchanged."""

    taken: int
    orders: int
    orders_by_status: dict[str, int]
    orders_by_currency: dict[str, int]
    total_by_currency: dict[str, Decimal]
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

    @property
    def adds_up(self) -> bool:
        return self.taken + self.set_aside == self.rows

    def as_json(self) -> dict[str, Any]:
        """Plain values. Money is text with at least three decimals."""
        money = {name: money_text(getattr(self, name)) for name in _MONEY}
        return in_order(asdict(self) | money | {"total_by_currency": texts(self.total_by_currency)})


def in_order(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of a report, how fast it was at the end."""
    first = {name: figures[name] for name in ("rows", "taken")}
    last = {name: figures[name] for name in ("commands", "seconds", "commands_per_second")}
    return first | {name: each for name, each in figures.items() if name not in last} | last


_MONEY = ("total", "gross", "goods", "charges", "credited")


def money_text(amount: Decimal) -> str:
    """Exact, with three decimals if they suffice."""
    short = amount.quantize(SHOWN_PLACES)
    return str(short if short == amount else amount)


def texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    """Currency -> amount as text, by name of the currency."""
    return {currency: money_text(amounts[currency]) for currency in sorted(amounts)}


def described(contents: Contents) -> dict[str, dict[str, Any]]:
    """Name of each file -> its format, and the columns that were ignored."""
    return {
        name: file.format.as_json()
        | ({"ignored": list(file.ignored)} if file.ignored else {})
        | ({"missing": list(file.missing)} if file.missing else {})
        for name, file in contents.files.items()
    }


def counted_by_reason(profile: Profile, contents: Contents) -> dict[str, int]:
    """Rows per reason: every reason of the profile, even if unused, and any others."""
    return dict.fromkeys(profile.reasons, 0) | contents.set_aside.by_reason()


def examples(contents: Contents) -> list[dict[str, Any]]:
    """The first row set aside per reason and column, at most MOST_EXAMPLES."""
    return [
        {
            "file": each.row.file,
            "line": each.row.line,
            "reason": each.reason,
            "column": each.column,
            "value": each.value[:LONGEST_VALUE],
            "sentence": each.sentence,
        }
        for each in contents.set_aside.examples(MOST_EXAMPLES)
    ]


@dataclass(slots=True)
class _Sums:
    """What the read models show of the documents so far."""

    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    totals: dict[str, Decimal] = field(default_factory=dict)
    sold: dict[str, Decimal] = field(default_factory=dict)
    currencies: set[str] = field(default_factory=set)
    ordering: set[str] = field(default_factory=set)
    credited_customers: set[str] = field(default_factory=set)
    credited: Decimal = Decimal(0)

    def add(self, some: Sequence[Taken], found: ImportedTotals) -> None:
        shown = {"order": found.lines, "credit_note": found.credit_lines}
        taken = sum(each.rows for each in some if shown[each.kind].get(each.key) == each.lines)
        self.counts.update(
            taken=taken,
            orders=found.orders,
            credit_notes=found.credit_notes,
            guest_orders=found.guests,
            flagged_orders=found.flagged_orders,
        )
        self.statuses.update(found.statuses)
        self.flags.update(found.flags)
        self.orders.update(found.orders_by_currency)
        _add(self.totals, found.total_by_currency)
        _add(self.sold, found.sold)
        if found.orders or found.credit_notes:
            self.currencies.add(found.currency)
        self.ordering |= found.customers
        self.credited_customers |= found.credited_customers
        self.credited += found.credited


def _add(sums: dict[str, Decimal], amounts: Mapping[str, Decimal]) -> None:
    for name, amount in amounts.items():
        sums[name] = sums.get(name, Decimal(0)) + amount


def read_back(
    kernel: Kernel,
    actor: Actor,
    documents: SpooledList[Taken],
    *,
    head: ReportHead,
    newcomer_counts: NewcomerCounts,
    is_charge: Callable[[str], bool],
) -> Report:
    """Query the read models for exactly these documents."""
    sums = _Sums()
    for some in documents.chunks(IDS_AT_ONCE):
        question = ImportTotals(
            order_ids=tuple(each.key for each in some if each.kind == "order"),
            credit_note_ids=tuple(each.key for each in some if each.kind == "credit_note"),
        )
        sums.add(some, kernel.queries.ask(question, QueryContext(actor=actor)).value)
    gross = sum(sums.sold.values(), Decimal(0))
    charged = sum((amount for sku, amount in sums.sold.items() if is_charge(sku)), Decimal(0))
    return Report(
        **head.fields,
        taken=sums.counts["taken"],
        orders=sums.counts["orders"],
        credit_notes=sums.counts["credit_notes"],
        guest_orders=sums.counts["guest_orders"],
        flagged_orders=sums.counts["flagged_orders"],
        orders_by_status=dict(sums.statuses),
        orders_by_currency=dict(sorted(sums.orders.items())),
        total_by_currency=sums.totals,
        customers=len(sums.ordering | sums.credited_customers),
        customers_with_orders=len(sums.ordering),
        total=sum(sums.totals.values(), Decimal(0)),
        currency=min(sums.currencies) if len(sums.currencies) == 1 else "",
        gross=gross,
        goods=gross - charged,
        charges=charged,
        credited=-sums.credited,
        flags=sums.flags.total(),
        flags_by_code=dict(sorted(sums.flags.items())),
        **newcomer_counts.figures(),
    )
