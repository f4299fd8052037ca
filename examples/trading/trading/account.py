"""A trading account: its funds and its positions."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from cqrs_app.kernel import Aggregate, Decision, Event, Refusal, handles, refuse_unless, rule
from trading.commands import (
    DepositFunds,
    ExecuteTrade,
    OpenAccount,
    ResumeAccount,
    Side,
    SuspendAccount,
    WithdrawFunds,
)
from trading.events import (
    AccountOpened,
    AccountResumed,
    AccountSuspended,
    FundsDeposited,
    FundsWithdrawn,
    TradeExecuted,
)
from trading.instrument import HALTED, NOT_LISTED
from trading.position import NOTHING, Position, rounded

EXISTS = Refusal("account_exists", "An account has this name already.")
NO_ACCOUNT = Refusal("no_such_account", "There is no such account.")
SUSPENDED = Refusal("account_suspended", "The account is suspended.")
NOT_SUSPENDED = Refusal("account_not_suspended", "The account is not suspended.")
NO_FUNDS = Refusal("insufficient_funds", "The account has not enough funds.")
NO_POSITION = Refusal("insufficient_position", "The account does not hold so many units.")
OVER_LIMIT = Refusal("position_limit", "The account would hold more units than it may.")
OTHER_CURRENCY = Refusal("other_currency", "The instrument is quoted in another currency.")


@rule(NO_ACCOUNT)
def is_open(account: "Account", account_id: str) -> None:
    if not account.currency:
        raise NO_ACCOUNT.because(f"There is no account {account_id}.", "Check the number.")


@rule(SUSPENDED, after=is_open)
def is_active(account: "Account", account_id: str) -> None:
    if account.suspended:
        raise SUSPENDED.because(f"Account {account_id} is suspended.", "Resume it first.")


@rule(NOT_SUSPENDED, after=is_open)
def is_suspended(account: "Account", account_id: str) -> None:
    if not account.suspended:
        raise NOT_SUSPENDED.because(f"Account {account_id} is not suspended.")


@dataclass
class Account(Aggregate):
    category: ClassVar[str] = "trading_account"
    identity: ClassVar[str] = "account_id"

    currency: str = ""
    position_limit: int = 0
    suspended: bool = False
    funds: Decimal = Decimal(0)
    positions: dict[str, Position] = field(default_factory=dict)

    def position(self, symbol: str) -> Position:
        return self.positions.get(symbol, NOTHING)

    @handles(OpenAccount, when=refuse_unless(lambda account: not account.currency, EXISTS))
    def open(self, command: OpenAccount) -> Decision:
        yield AccountOpened.of(command)

    @handles(
        ExecuteTrade,
        when=is_active,
        refusals=[NO_FUNDS, NO_POSITION, OVER_LIMIT, OTHER_CURRENCY, NOT_LISTED, HALTED],
    )
    def trade(self, command: ExecuteTrade, *, quoted_in: str = "") -> Decision:
        if quoted_in not in ("", self.currency):
            raise OTHER_CURRENCY.because(
                f"{command.symbol} is quoted in {quoted_in}, and the account has {self.currency}."
            )
        total, held = command.quantity * command.price, self.position(command.symbol).quantity
        if command.side is Side.BUY and total > self.funds:
            raise NO_FUNDS.because(
                f"{command.quantity:,} {command.symbol} cost {self.currency} {total:,.2f}, and the "
                f"account has {self.currency} {self.funds:,.2f}.",
                "Buy fewer, or deposit funds first.",
            )
        if command.side is Side.BUY and held + command.quantity > self.position_limit:
            raise OVER_LIMIT.because(
                f"The account may hold {self.position_limit:,} {command.symbol}, and holds "
                f"{held:,}.",
                "Buy fewer.",
            )
        if command.side is Side.SELL and command.quantity > held:
            raise NO_POSITION.because(
                f"The account holds {held:,} {command.symbol}.", "Sell no more than that."
            )
        yield TradeExecuted.of(command, currency=self.currency, side=str(command.side))

    @handles(DepositFunds, when=is_open)
    def deposit(self, command: DepositFunds) -> Decision:
        yield FundsDeposited.of(command, currency=self.currency)

    @handles(WithdrawFunds, when=is_active, refusals=[NO_FUNDS])
    def withdraw(self, command: WithdrawFunds) -> Decision:
        if command.amount > self.funds:
            raise NO_FUNDS.because(
                f"The account has {self.currency} {self.funds:,.2f}.", "Withdraw no more than that."
            )
        yield FundsWithdrawn.of(command, currency=self.currency)

    @handles(SuspendAccount, when=is_active)
    def suspend(self, command: SuspendAccount) -> Decision:
        yield AccountSuspended.of(command)

    @handles(ResumeAccount, when=is_suspended)
    def resume(self, command: ResumeAccount) -> Decision:
        yield AccountResumed.of(command)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case AccountOpened():
                self.take(event)
            case FundsDeposited():
                self.funds = rounded(self.funds + event.amount)
            case FundsWithdrawn():
                self.funds = rounded(self.funds - event.amount)
            case TradeExecuted():
                total = event.quantity * event.price
                self.funds = rounded(self.funds + (-total if event.side == "buy" else total))
                held = self.position(event.symbol)
                self.positions[event.symbol] = held.traded(event.side, event.quantity, event.price)
            case AccountSuspended():
                self.suspended = True
            case AccountResumed():
                self.suspended = False
