"""Trading: accounts with funds and positions, and the instruments that they trade."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, func, select

from cqrs_app.kernel import Area, Command, from_past, listed, projected
from cqrs_app.plugins import Alarm, AlertRule, Pages, Plugin
from trading import events
from trading.account import Account
from trading.audit import AuditAccount, audit_account
from trading.commands import (
    DepositFunds,
    ExecuteTrade,
    HaltTrading,
    ListInstrument,
    OpenAccount,
    QuotePrice,
    ResumeAccount,
    ResumeTrading,
    Side,
    SuspendAccount,
)
from trading.instrument import Instrument, Quote, market_allows
from trading.read_model import (
    AccountRow,
    GetAccount,
    GetInstrument,
    ListAccounts,
    ListInstruments,
    TradingProjection,
    accounts,
    get_account,
    get_instrument,
    instruments,
    list_instruments,
)

TRADING = Area(
    name="trading",
    aggregates=[Account, Instrument, Quote],
    events=events,
    projections=[TradingProjection()],
    answers={
        ListAccounts: listed(accounts, AccountRow, search=["account_id"]),
        GetAccount: projected(get_account),
        AuditAccount: from_past(audit_account),
        ListInstruments: projected(list_instruments),
        GetInstrument: projected(get_instrument),
    },
    middleware=[market_allows],
)


def _halted(connection: Connection, now: datetime) -> Iterable[Alarm]:
    halted = select(func.count()).select_from(instruments).where(instruments.c.halted)
    count = connection.execute(halted).scalar_one()
    if count:
        yield Alarm(
            title=f"{count:,} {'instrument is' if count == 1 else 'instruments are'} halted",
            cost="Nobody can trade them.",
            remedy="Resume trading once the reason is gone.",
            value=count,
        )


def _demo(now: datetime) -> Iterator[tuple[datetime, Command]]:
    prices = (Decimal("10.00"), Decimal("12.50"), Decimal("11.20"))
    steps: list[Command] = [
        ListInstrument(symbol="ACME", currency="EUR"),
        OpenAccount(account_id="T1", currency="EUR", position_limit=1_000),
        DepositFunds(account_id="T1", amount=Decimal(5_000)),
    ]
    for side, quantity, price in zip(
        (Side.BUY, Side.BUY, Side.SELL), (100, 50, 60), prices, strict=True
    ):
        steps += [
            QuotePrice(symbol="ACME", price=price),
            ExecuteTrade(account_id="T1", symbol="ACME", side=side, quantity=quantity, price=price),
        ]
    start = now - timedelta(hours=len(steps))
    yield from ((start + timedelta(hours=n), step) for n, step in enumerate(steps))


PLUGIN = Plugin(
    api=1,
    package="trading",
    area=TRADING,
    pages=[
        Pages(
            aggregate=Account,
            path="trading-accounts",
            one="account",
            list=ListAccounts,
            get=GetAccount,
            starts=[OpenAccount],
            batched=[SuspendAccount, ResumeAccount],
            icon="chart-bar",
        ),
        Pages(
            aggregate=Instrument,
            path="instruments",
            list=ListInstruments,
            get=GetInstrument,
            starts=[ListInstrument, QuotePrice],
            batched=[HaltTrading, ResumeTrading],
            icon="activity",
        ),
    ],
    alerts=[AlertRule(name="trading_halted", title="Instruments are halted", measure=_halted)],
    demo=_demo,
)
