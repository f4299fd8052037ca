"""The ledger: its entries, and the balances of its accounts, which add up to zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from sqlalchemy import Connection, Row, func, select

from cqrs_app.areas.payments.queries.lists import VIEW
from cqrs_app.areas.payments.read_models import ledger_entries
from cqrs_app.kernel import Count, Limit, ListQuery, Page, Query, Sort, query

_ENTRY = ledger_entries.c
_SORT = Sort((_ENTRY.position, _ENTRY.account), int)

Account = Literal["any", "customers", "provider", "bank", "disputed", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One side of a movement; a negative amount left the account. Both sides have the same
    position.
    """

    position: int
    account: str
    payment_id: str
    order_id: str
    what: str
    at: datetime
    currency: str
    amount: Decimal


_COLUMNS = [_ENTRY[name] for name in LedgerEntry.__annotations__]


@query(label="Ledger", permission=VIEW, reads=("ledger",), cached=True)
class ListLedger(ListQuery):
    """One page of entries, newest first; of one account or payment if one is named."""

    sorts: ClassVar[Mapping[str, Sort]] = {"position": _SORT}
    sort: ClassVar[str] = "position"
    descending: ClassVar[bool] = True
    account: Annotated[Account, Meta(title="Account")] = "any"
    payment_id: Annotated[str, Meta(title="Payment", examples=["P10042"], max_length=60)] = ""
    limit: Limit = 50
    count: Count = False


def list_ledger(question: ListLedger, connection: Connection) -> Page[LedgerEntry]:
    found = select(*_COLUMNS)
    if question.account != "any":
        found = found.where(_ENTRY.account == question.account)
    if question.payment_id:
        found = found.where(_ENTRY.payment_id == question.payment_id)
    return question.page(found, connection, _entry)


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The balance of one account."""

    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyBalance:
    """The accounts of one currency; `total` is zero, or the ledger is wrong."""

    currency: str
    accounts: tuple[AccountBalance, ...]
    total: Decimal


@query(label="Ledger balance", permission=VIEW, reads=("ledger",), cached=True)
class LedgerBalance(Query):
    """The balance of each account, summed over all entries; each currency adds up to zero."""


def ledger_balance(question: LedgerBalance, connection: Connection) -> tuple[CurrencyBalance, ...]:
    sums = (
        select(_ENTRY.currency, _ENTRY.account, func.sum(_ENTRY.amount).label("amount"))
        .group_by(_ENTRY.currency, _ENTRY.account)
        .order_by(_ENTRY.currency, _ENTRY.account)
    )
    found: dict[str, list[AccountBalance]] = defaultdict(list)
    for row in connection.execute(sums):
        found[row.currency].append(AccountBalance(row.account, row.amount))
    return tuple(
        CurrencyBalance(
            currency=currency,
            accounts=tuple(accounts),
            total=sum((each.amount for each in accounts), Decimal(0)),
        )
        for currency, accounts in found.items()
    )


def _entry(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(**row._mapping)
