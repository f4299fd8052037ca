"""Trading: figures worked out by hand, refusals, and what holds for any trades."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading import PLUGIN, TRADING
from trading.account import Account
from trading.commands import DepositFunds, ExecuteTrade, Side, SuspendAccount, WithdrawFunds
from trading.events import AccountOpened, AccountSuspended, FundsDeposited, TradeExecuted
from trading.position import NOTHING, SMALLEST

from cqrs_app.area_contract import AreaContract
from cqrs_app.kernel import Refused
from cqrs_app.kernel.testing import Scenarios

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
OPENED = AccountOpened(account_id="T1", currency="EUR", position_limit=1_000)
FUNDS = FundsDeposited(account_id="T1", currency="EUR", amount=Decimal(5_000))
scenarios = Scenarios(TRADING, at=AT)


class TestContract(AreaContract):
    plugin = PLUGIN


def trade(side: Side, quantity: int, price: str, symbol: str = "ACME") -> ExecuteTrade:
    return ExecuteTrade(
        account_id="T1", symbol=symbol, side=side, quantity=quantity, price=Decimal(price)
    )


def traded(side: str, quantity: int, price: str) -> TradeExecuted:
    return TradeExecuted(
        account_id="T1",
        currency="EUR",
        symbol="ACME",
        side=side,
        quantity=quantity,
        price=Decimal(price),
    )


BOUGHT = (traded("buy", 100, "10.00"), traded("buy", 50, "12.50"))


def test_the_figures_worked_out_by_hand() -> None:
    # Bought: 100 at 10.00 and 50 at 12.50, that is 150 for 1,625.00, 10.8333 each.
    # Sold: 60 at 11.20, that is 672.00; they had cost 1,625.00 * 60 / 150 = 650.00.
    account = (
        scenarios.given(OPENED, FUNDS, *BOUGHT)
        .when(trade(Side.SELL, 60, "11.20"))
        .then(traded("sell", 60, "11.20"))
    )
    position = account.position("ACME")
    assert position.quantity == 90
    assert position.cost == Decimal("975.00")
    assert position.average == Decimal("10.8333")
    assert position.realised == Decimal("22.00")
    assert position.unrealised(Decimal("11.20")) == Decimal("33.00")
    assert account.funds == Decimal("4047.00")


def test_a_sale_leaves_the_average_cost_as_it_was() -> None:
    position = NOTHING.bought(100, Decimal("10.00")).bought(50, Decimal("12.50"))
    sold = position.sold(60, Decimal("11.20"))
    assert position.average == sold.average


def test_the_last_unit_takes_all_that_is_left_of_the_cost() -> None:
    position = NOTHING.bought(3, Decimal("0.3333"))
    for _ in range(3):
        position = position.sold(1, Decimal("0.50"))
    assert (position.quantity, position.cost) == (0, 0)
    assert position.realised == Decimal("1.50") - 3 * Decimal("0.3333")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (trade(Side.BUY, 338, "10.00"), "insufficient_funds"),
        (trade(Side.SELL, 151, "10.00"), "insufficient_position"),
        (trade(Side.SELL, 1, "10.00", "OTHER"), "insufficient_position"),
        (trade(Side.BUY, 851, "0.01"), "position_limit"),
        (WithdrawFunds(account_id="T1", amount=Decimal("3375.01")), "insufficient_funds"),
    ],
)
def test_what_the_account_cannot_bear_is_refused(command: ExecuteTrade, code: str) -> None:
    refused = scenarios.given(OPENED, FUNDS, *BOUGHT).when(command).refused(code)
    assert "Nothing was changed." in refused.sentence


def test_all_funds_and_the_whole_position_can_be_used() -> None:
    given = scenarios.given(OPENED, FUNDS, *BOUGHT)
    given.when(trade(Side.BUY, 27, "125.00")).then(traded("buy", 27, "125.00"))
    given.when(trade(Side.SELL, 150, "10.00")).then(traded("sell", 150, "10.00"))


def test_nothing_is_traded_on_a_suspended_account() -> None:
    suspended = AccountSuspended(account_id="T1", reason="Review")
    scenarios.given(OPENED).when(SuspendAccount(account_id="T1", reason="Review")).then(suspended)
    buy = trade(Side.BUY, 1, "1.00")
    scenarios.given(OPENED, FUNDS, suspended).when(buy).refused("account_suspended")
    deposit = DepositFunds(account_id="T1", amount=Decimal(1))
    assert scenarios.given(OPENED, FUNDS, suspended).when(deposit).accepted


def test_without_an_account_there_are_no_trades() -> None:
    scenarios.given().when(trade(Side.BUY, 1, "1.00")).refused("no_such_account")


prices = st.decimals("0.0001", "999.9999", places=4)
steps = st.lists(
    st.tuples(st.sampled_from(Side), st.sampled_from(["A", "B"]), st.integers(1, 1_000), prices),
    max_size=25,
)


@given(steps)
def test_whatever_is_traded_no_money_is_made_or_lost(
    trades: list[tuple[Side, str, int, Decimal]],
) -> None:
    account, exact = Account(), {"A": (0, Fraction(0)), "B": (0, Fraction(0))}
    account.evolve(OPENED, AT)
    account.evolve(FUNDS, AT)
    accepted = 0
    for side, symbol, quantity, price in trades:
        command = trade(side, quantity, str(price), symbol)
        held, cost = exact[symbol]
        possible = (
            quantity * price <= account.funds and held + quantity <= 1_000
            if side is Side.BUY
            else quantity <= held
        )
        try:
            [event] = account.trade(command)
        except Refused:
            assert not possible
            continue
        assert possible
        account.evolve(event, AT)
        accepted += 1
        change = quantity if side is Side.BUY else -quantity
        paid = quantity * Fraction(price) if side is Side.BUY else -cost * quantity / max(held, 1)
        exact[symbol] = (held + change, cost + paid)
        invested = sum((p.cost - p.realised for p in account.positions.values()), Decimal(0))
        assert account.funds + invested == FUNDS.amount
    for symbol, (held, cost) in exact.items():
        position = account.position(symbol)
        assert position.quantity == held
        assert abs(Fraction(position.cost) - cost) <= accepted * Fraction(SMALLEST)
        assert account.funds >= 0
        assert position.quantity or not position.cost
