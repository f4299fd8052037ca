"""Replays an account from its events, and compares what comes out with what is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.kernel import Past, Query, Recorded, query
from trading.account import Account
from trading.commands import VIEW, AccountId
from trading.events import FundsDeposited, FundsWithdrawn
from trading.read_model import accounts, held, positions


@dataclass(frozen=True, slots=True)
class AuditedPosition:
    """What the events come to, and whether the same is shown."""

    symbol: str
    quantity: int
    cost: Decimal
    realised: Decimal
    agrees: bool


@dataclass(frozen=True, slots=True)
class AccountAudit:
    """An account replayed up to the version that is shown. `agrees`: funds and positions are those
    that are shown. `balanced`: funds and costs are what was paid in, less what was paid out, with
    what was realised."""

    currency: str
    version: Annotated[int, Meta(title="Version")]
    funds: Decimal
    agrees: bool
    balanced: bool
    positions: tuple[AuditedPosition, ...]


@query(label="Audit of a trading account", permission=VIEW, reads=("trading",))
class AuditAccount(Query):
    """Replay the account's events, and compare the result with what is shown."""

    account_id: AccountId


def audit_account(
    question: AuditAccount, past: Past, connection: Connection | None
) -> AccountAudit | None:
    stream = Account.stream_of(question.account_id)
    shown, rows = _stored(question.account_id, connection) if connection else _folded(stream, past)
    if shown is None:
        return None
    history = [each for each in past.recorded(stream) if each.version <= shown["applied_version"]]
    account = _replayed(history)
    audited = tuple(
        AuditedPosition(
            symbol, each.quantity, each.cost, each.realised, each == held(rows.get(symbol))
        )
        for symbol, each in sorted(account.positions.items())
    )
    same = account.funds == shown["funds"] and {*rows} == {*account.positions}
    invested = sum((each.cost - each.realised for each in audited), Decimal(0))
    return AccountAudit(
        currency=account.currency,
        version=shown["applied_version"],
        funds=account.funds,
        agrees=same and all(each.agrees for each in audited),
        balanced=account.funds + invested == _paid_in(history),
        positions=audited,
    )


def _stored(account_id: str, connection: Connection) -> tuple[Any, dict[str, Any]]:
    mine = select(accounts).where(accounts.c.account_id == account_id)
    account = connection.execute(mine).mappings().one_or_none()
    found = connection.execute(select(positions).where(positions.c.account_id == account_id))
    return account, {row["symbol"]: row for row in found.mappings()}


def _folded(stream: str, past: Past) -> tuple[Any, dict[str, Any]]:
    """What would be shown if all were taken in."""
    rows = past.rows("trading", stream).rows
    account = next(iter(rows.all(accounts)), None)
    return account, {row["symbol"]: row for row in rows.all(positions)}


def _replayed(history: Iterable[Recorded]) -> Account:
    account = Account()
    for each in history:
        account.evolve(each.event, each.occurred_at)
    return account


def _paid_in(history: Iterable[Recorded]) -> Decimal:
    total = Decimal(0)
    for each in history:
        if isinstance(each.event, FundsDeposited):
            total += each.event.amount
        elif isinstance(each.event, FundsWithdrawn):
            total -= each.event.amount
    return total
