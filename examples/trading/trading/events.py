"""What happened on trading accounts and to instruments."""

from decimal import Decimal

from cqrs_app.kernel import Event, event


@event()
class AccountOpened(Event):
    account_id: str
    currency: str
    position_limit: int


@event()
class FundsDeposited(Event):
    account_id: str
    currency: str
    amount: Decimal


@event()
class FundsWithdrawn(Event):
    account_id: str
    currency: str
    amount: Decimal


@event()
class TradeExecuted(Event):
    """`side` is "buy" or "sell"; `price` is that of one unit."""

    account_id: str
    currency: str
    symbol: str
    side: str
    quantity: int
    price: Decimal


@event()
class AccountSuspended(Event):
    account_id: str
    reason: str


@event()
class AccountResumed(Event):
    account_id: str


@event()
class InstrumentListed(Event):
    symbol: str
    currency: str


@event()
class TradingHalted(Event):
    symbol: str
    reason: str


@event()
class TradingResumed(Event):
    symbol: str


@event()
class PriceQuoted(Event):
    symbol: str
    currency: str
    price: Decimal
