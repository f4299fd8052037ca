"""The positions of accounts, at the present prices; the accounts; the instruments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from sqlalchemy import Connection, Table, select

from cqrs_app.kernel import (
    Count,
    Key,
    ListQuery,
    Page,
    Projection,
    Query,
    Recorded,
    Row,
    Rows,
    Sort,
    query,
    table_of,
)
from trading.commands import VIEW, AccountId, Currency, Symbol
from trading.events import (
    AccountOpened,
    AccountResumed,
    AccountSuspended,
    FundsDeposited,
    FundsWithdrawn,
    InstrumentListed,
    PriceQuoted,
    TradeExecuted,
    TradingHalted,
    TradingResumed,
)
from trading.position import NOTHING, Position

Units = Annotated[int, Meta(title="Quantity")]


@dataclass(frozen=True, slots=True)
class AccountRow:
    account_id: AccountId
    currency: Currency
    funds: Decimal
    suspended: bool
    trades: int
    applied_version: int


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    symbol: Symbol
    currency: Currency
    halted: bool
    price: Decimal | None
    quoted_at: datetime | None
    applied_version: int


@dataclass(frozen=True, slots=True)
class _StoredInstrument:
    symbol: Symbol
    currency: Currency
    halted: bool
    applied_version: int


@dataclass(frozen=True, slots=True)
class _StoredQuote:
    symbol: Symbol
    price: Decimal
    quoted_at: datetime
    applied_version: int


@dataclass(frozen=True, slots=True)
class _StoredPosition:
    position: Annotated[str, Meta(max_length=60)]
    account_id: AccountId
    symbol: Symbol
    quantity: int
    cost: Decimal
    realised: Decimal
    last_trade_at: datetime
    applied_version: int


accounts = table_of("trading_accounts", AccountRow, key="account_id")
instruments = table_of("trading_instruments", _StoredInstrument, key="symbol")
quotes = table_of("trading_quotes", _StoredQuote, key="symbol")
positions = table_of("trading_positions", _StoredPosition, key="position", indexed=["account_id"])


class TradingProjection(Projection):
    name: ClassVar[str] = "trading"
    tables: ClassVar[tuple[Table, ...]] = (accounts, instruments, quotes, positions)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        if isinstance(event, TradeExecuted):
            yield positions, (f"{event.account_id}-{event.symbol}",)
        if hasattr(event, "account_id"):
            yield accounts, (event.account_id,)

    def account_opened(self, event: AccountOpened, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            accounts,
            account_id=event.account_id,
            currency=event.currency,
            funds=Decimal(0),
            suspended=False,
            trades=0,
            applied_version=recorded.version,
        )

    def funds_deposited(self, event: FundsDeposited, recorded: Recorded, rows: Rows) -> None:
        _account(event.account_id, recorded, rows)["funds"] += event.amount

    def funds_withdrawn(self, event: FundsWithdrawn, recorded: Recorded, rows: Rows) -> None:
        _account(event.account_id, recorded, rows)["funds"] -= event.amount

    def account_suspended(self, event: AccountSuspended, recorded: Recorded, rows: Rows) -> None:
        _account(event.account_id, recorded, rows)["suspended"] = True

    def account_resumed(self, event: AccountResumed, recorded: Recorded, rows: Rows) -> None:
        _account(event.account_id, recorded, rows)["suspended"] = False

    def trade_executed(self, event: TradeExecuted, recorded: Recorded, rows: Rows) -> None:
        account = _account(event.account_id, recorded, rows)
        total = event.quantity * event.price
        account["funds"] += -total if event.side == "buy" else total
        account["trades"] += 1
        key = f"{event.account_id}-{event.symbol}"
        new = held(rows.get(positions, key)).traded(event.side, event.quantity, event.price)
        rows.put(
            positions,
            position=key,
            account_id=event.account_id,
            symbol=event.symbol,
            quantity=new.quantity,
            cost=new.cost,
            realised=new.realised,
            last_trade_at=recorded.occurred_at,
            applied_version=recorded.version,
        )

    def instrument_listed(self, event: InstrumentListed, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            instruments,
            symbol=event.symbol,
            currency=event.currency,
            halted=False,
            applied_version=recorded.version,
        )

    def trading_halted(self, event: TradingHalted, recorded: Recorded, rows: Rows) -> None:
        row = rows.change(instruments, event.symbol)
        row["halted"], row["applied_version"] = True, recorded.version

    def trading_resumed(self, event: TradingResumed, recorded: Recorded, rows: Rows) -> None:
        row = rows.change(instruments, event.symbol)
        row["halted"], row["applied_version"] = False, recorded.version

    def price_quoted(self, event: PriceQuoted, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            quotes,
            symbol=event.symbol,
            price=event.price,
            quoted_at=recorded.occurred_at,
            applied_version=recorded.version,
        )


def _account(account_id: str, recorded: Recorded, rows: Rows) -> Row:
    row = rows.change(accounts, account_id)
    row["applied_version"] = recorded.version
    return row


def held(row: Any) -> Position:
    """The position in a stored row."""
    if row is None:
        return NOTHING
    return Position(quantity=row["quantity"], cost=row["cost"], realised=row["realised"])


@query(label="Trading accounts", permission=VIEW, reads=("trading",), cached=True)
class ListAccounts(ListQuery):
    """One page of the trading accounts."""

    sorts: ClassVar = {"account_id": Sort((accounts.c.account_id,), str)}
    q: Annotated[str, Meta(title="Search", max_length=40)] = ""
    currency: Currency | None = None
    suspended: Annotated[bool | None, Meta(title="Suspended")] = None
    sort: Literal["account_id"] = "account_id"
    descending: bool = False
    count: Count = False


@query(label="Instruments", permission=VIEW, reads=("trading",), cached=True)
class ListInstruments(ListQuery):
    """One page of the instruments with their present prices."""

    sorts: ClassVar = {"symbol": Sort((instruments.c.symbol,), str)}
    q: Annotated[str, Meta(title="Search", max_length=12)] = ""
    halted: Annotated[bool | None, Meta(title="Halted")] = None
    sort: Literal["symbol"] = "symbol"
    descending: bool = False
    count: Count = False


def list_instruments(question: ListInstruments, connection: Connection) -> Page[InstrumentRow]:
    found = select(instruments, quotes.c.price, quotes.c.quoted_at).outerjoin(
        quotes, quotes.c.symbol == instruments.c.symbol
    )
    if question.halted is not None:
        found = found.where(instruments.c.halted == question.halted)
    if text := question.q.strip():
        found = found.where(instruments.c.symbol.icontains(text, autoescape=True))
    return question.page(found, connection, lambda row: InstrumentRow(**row._mapping))


@query(label="Instrument", permission=VIEW, reads=("trading",), cached=True)
class GetInstrument(Query):
    symbol: Symbol


def get_instrument(question: GetInstrument, connection: Connection) -> InstrumentRow | None:
    page = list_instruments(ListInstruments(q=question.symbol, limit=500), connection)
    return next((each for each in page.rows if each.symbol == question.symbol), None)


@dataclass(frozen=True, slots=True)
class PositionView:
    """A position at the present price; what needs one is None without it."""

    symbol: Symbol
    quantity: Units
    average_cost: Decimal | None
    price: Decimal | None
    market_value: Decimal | None
    unrealised: Decimal | None
    realised: Decimal
    total: Annotated[Decimal | None, Meta(title="Total profit")]
    currency: Currency
    last_trade_at: Annotated[datetime, Meta(title="Last trade")]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account with its positions; those that were sold are there for what they realised."""

    currency: Currency
    funds: Decimal
    suspended: bool
    trades: int
    applied_version: int
    positions: Annotated[tuple[PositionView, ...], Meta(title="Positions")]


@query(label="Trading account", permission=VIEW, reads=("trading",), cached=True)
class GetAccount(Query):
    account_id: AccountId


def get_account(question: GetAccount, connection: Connection) -> AccountView | None:
    mine = accounts.c.account_id == question.account_id
    row = connection.execute(select(accounts).where(mine)).one_or_none()
    if row is None:
        return None
    found = (
        select(positions, quotes.c.price)
        .outerjoin(quotes, quotes.c.symbol == positions.c.symbol)
        .where(positions.c.account_id == question.account_id)
        .order_by(positions.c.quantity == 0, positions.c.symbol)
    )
    return AccountView(
        currency=row.currency,
        funds=row.funds,
        suspended=row.suspended,
        trades=row.trades,
        applied_version=row.applied_version,
        positions=tuple(_shown(each, row.currency) for each in connection.execute(found)),
    )


def _shown(row: Any, currency: str) -> PositionView:
    position = held(row._mapping)
    unrealised = None if row.price is None else position.unrealised(row.price)
    return PositionView(
        symbol=row.symbol,
        quantity=position.quantity,
        average_cost=position.average,
        price=row.price,
        market_value=None if row.price is None else position.quantity * row.price,
        unrealised=unrealised,
        realised=position.realised,
        total=None if unrealised is None else unrealised + position.realised,
        currency=currency,
        last_trade_at=row.last_trade_at,
    )
