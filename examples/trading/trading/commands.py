"""What people do with trading accounts and instruments."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel import ID, Command, Permission, Role, command, decimal_meta

VIEW = Permission("trading.view", Role.VIEWER)
TRADE = Permission("trading.trade", Role.OPERATOR)
MANAGE = Permission("trading.manage", Role.SUPERVISOR)

MOST = Decimal(1_000_000_000)
SMALLEST = Decimal("0.0001")
MOST_UNITS = 1_000_000

AccountId = Annotated[str, Meta(title="Account", examples=["T1"], pattern=ID, max_length=40)]
Symbol = Annotated[
    str, Meta(title="Symbol", examples=["ACME"], pattern="^[A-Z][A-Z0-9.]*$", max_length=12)
]
Quantity = Annotated[int, Meta(title="Quantity", examples=[100], ge=1, le=MOST_UNITS)]
Price = Annotated[Decimal, decimal_meta("Price", ge=SMALLEST, le=Decimal(1_000_000), places=4)]
Amount = Annotated[Decimal, decimal_meta("Amount", ge=Decimal("0.01"), le=MOST, places=2)]
Currency = Annotated[
    str, Meta(title="Currency", examples=["USD"], pattern="^[A-Z]{3}$", max_length=3)
]
Reason = Annotated[str, Meta(title="Reason", min_length=1, max_length=200)]


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


@command(label="Open account", permission=MANAGE)
class OpenAccount(Command):
    """Begin to trade on an account. It has no funds yet."""

    account_id: AccountId
    currency: Currency
    position_limit: Annotated[
        int,
        Meta(
            title="Position limit",
            description="Units of one instrument that the account may hold.",
            ge=1,
            le=MOST_UNITS,
        ),
    ] = MOST_UNITS


@command(label="Deposit funds", permission=TRADE)
class DepositFunds(Command):
    """Record money that came in."""

    account_id: AccountId
    amount: Amount


@command(label="Withdraw funds", permission=TRADE)
class WithdrawFunds(Command):
    """Pay out money that is not invested."""

    account_id: AccountId
    amount: Amount


@command(label="Execute trade", permission=TRADE)
class ExecuteTrade(Command):
    """Buy or sell at a price. A purchase needs the funds, a sale the position."""

    account_id: AccountId
    symbol: Symbol
    side: Annotated[Side, Meta(title="Side")]
    quantity: Quantity
    price: Price


@command(label="Suspend account", permission=MANAGE)
class SuspendAccount(Command):
    """Nothing is traded on the account until it is resumed."""

    account_id: AccountId
    reason: Reason


@command(label="Resume account", permission=MANAGE)
class ResumeAccount(Command):
    """Trade on the account again."""

    account_id: AccountId


@command(label="List instrument", permission=MANAGE)
class ListInstrument(Command):
    """Let accounts of this currency trade an instrument."""

    symbol: Symbol
    currency: Currency


@command(label="Halt trading", permission=MANAGE)
class HaltTrading(Command):
    """Nobody trades the instrument until trading resumes."""

    symbol: Symbol
    reason: Reason


@command(label="Resume trading", permission=MANAGE)
class ResumeTrading(Command):
    """Let accounts trade the instrument again."""

    symbol: Symbol


@command(label="Quote price", permission=TRADE)
class QuotePrice(Command):
    """Record the present price of an instrument."""

    symbol: Symbol
    price: Price
