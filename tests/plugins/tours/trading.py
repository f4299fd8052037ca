"""Every door of trading: funds, positions, profit, the market, the audit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import update

from tests.plugins.tours.console import Console


def trade(console: Console, side: str, quantity: int, price: str) -> Any:
    body = {
        "account_id": "T1",
        "symbol": "ACME",
        "side": side,
        "quantity": quantity,
        "price": price,
    }
    return console.api("POST", "/commands/ExecuteTrade", json=body)


def tour(console: Console) -> None:
    from trading.commands import (
        DepositFunds,
        HaltTrading,
        ListInstrument,
        OpenAccount,
        QuotePrice,
        ResumeTrading,
        SuspendAccount,
    )
    from trading.read_model import positions

    sent = console.send_form("OpenAccount", account_id="T1", currency="EUR", position_limit="500")
    assert sent.location == "/trading-accounts/T1", sent.text
    console.run(DepositFunds(account_id="T1", amount=Decimal(5_000)))
    assert trade(console, "buy", 100, "10.00").json["code"] == "not_listed"
    console.run(ListInstrument(symbol="ACME", currency="EUR"))

    # The figures of examples/trading/tests, worked out by hand.
    for side, quantity, price in (("buy", 100, "10"), ("buy", 50, "12.5"), ("sell", 60, "11.2")):
        done = trade(console, side, quantity, price)
        assert done.status_code in (200, 201), done.text
    console.run(QuotePrice(symbol="ACME", price=Decimal("11.20")))
    account = console.api("GET", "/queries/GetAccount?account_id=T1").json["value"]
    assert account["funds"] == "4047.00"
    [position] = account["positions"]
    assert position["quantity"] == 90
    assert position["average_cost"] == "10.8333"
    assert position["market_value"] == "1008.00"
    assert position["unrealised"] == "33.00"
    assert position["realised"] == "22.00"
    assert position["total"] == "55.00"

    # What is refused, and why.
    assert trade(console, "sell", 91, "11").json["code"] == "insufficient_position"
    assert trade(console, "buy", 500, "1").json["code"] == "position_limit"
    assert trade(console, "buy", 400, "11").json["code"] == "insufficient_funds"
    console.run(HaltTrading(symbol="ACME", reason="News"))
    assert trade(console, "sell", 1, "11").json["code"] == "trading_halted"
    alarms = console.services.problem_sources.problems(console.services.kernel)
    assert "1 instrument is halted" in [each.title for each in alarms]
    console.run(ResumeTrading(symbol="ACME"))
    console.run(ListInstrument(symbol="OTHER", currency="USD"))
    body = {"account_id": "T1", "symbol": "OTHER", "side": "buy", "quantity": 1, "price": "1"}
    refused = console.api("POST", "/commands/ExecuteTrade", json=body)
    assert refused.json["code"] == "other_currency"

    console.pages(
        ("/trading-accounts", "4,047.00"),
        ("/trading-accounts/T1", "10.83"),
        ("/trading-accounts/T1/now", "Execute trade"),
        ("/instruments", "11.20"),
        ("/instruments", "Halted: any"),
        ("/trading-accounts", 'placeholder="Currency"'),
        ("/instruments/ACME", "Halt trading"),
        ("/search?q=acme", "/instruments/ACME"),
        ("/exports/ListAccounts.csv", "T1"),
        ("/catalogue/ExecuteTrade", "insufficient_funds"),
        ("/alerts/-/rules", "Instruments are halted"),
    )

    # The audit replays to the same figures, and says so where a row is wrong.
    audit = console.api("GET", "/queries/AuditAccount?account_id=T1").json["value"]
    assert (audit["agrees"], audit["balanced"]) == (True, True), audit
    with console.services.kernel.engines.read.begin() as connection:
        connection.execute(update(positions).values(cost=Decimal(1)))
    audit = console.api("GET", "/queries/AuditAccount?account_id=T1").json["value"]
    assert (audit["agrees"], audit["balanced"]) == (False, True), audit
    read = console.flask("query", "AuditAccount", "--account-id", "T1")
    assert "975" in read.output, read.output

    console.run(OpenAccount(account_id="T2", currency="EUR"))
    console.batch("SuspendAccount", {"q": ["t2"]}, reason="Review")
    console.pages(("/trading-accounts?suspended=true", "T2"))
    console.needs_a_second_signature(SuspendAccount(account_id="T1", reason="Review"), "T1")
    console.verify()
