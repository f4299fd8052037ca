"""An instrument: listed in a currency, halted, resumed; and its price, in a stream of its own."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from cqrs_app.kernel import Aggregate, Decision, Event, Refusal, handles, refuse_unless
from cqrs_app.kernel.effects import Call, Proceed, Receipt
from trading.commands import ExecuteTrade, HaltTrading, ListInstrument, QuotePrice, ResumeTrading
from trading.events import InstrumentListed, PriceQuoted, TradingHalted, TradingResumed
from trading.position import rounded

EXISTS = Refusal("instrument_exists", "The instrument is listed already.")
NOT_LISTED = Refusal("not_listed", "The instrument is not listed.")
HALTED = Refusal("trading_halted", "Trading of the instrument is halted.")
NOT_HALTED = Refusal("trading_not_halted", "Trading of the instrument is not halted.")

GUARD = "trading"


@dataclass
class Instrument(Aggregate):
    category: ClassVar[str] = "instrument"
    identity: ClassVar[str] = "symbol"

    currency: str = ""
    halted: bool = False

    @handles(ListInstrument, when=refuse_unless(lambda instrument: not instrument.currency, EXISTS))
    def list(self, command: ListInstrument) -> Decision:
        yield InstrumentListed.of(command)

    @handles(
        HaltTrading,
        when=refuse_unless(lambda found: found.currency and not found.halted, HALTED),
    )
    def halt(self, command: HaltTrading) -> Decision:
        yield TradingHalted.of(command)

    @handles(ResumeTrading, when=refuse_unless(lambda found: found.halted, NOT_HALTED))
    def resume(self, command: ResumeTrading) -> Decision:
        yield TradingResumed.of(command)

    def evolve(self, event: Event, at: datetime) -> None:
        self.take(event)
        self.halted = isinstance(event, TradingHalted)


@dataclass
class Quote(Aggregate):
    """Apart from the instrument, whose few events every trade reads."""

    category: ClassVar[str] = "quote"
    identity: ClassVar[str] = "symbol"

    currency: str = ""
    price: Decimal = Decimal(0)

    @handles(QuotePrice, refusals=[NOT_LISTED])
    def quote(self, command: QuotePrice, *, quoted_in: str = "") -> Decision:
        yield PriceQuoted.of(command, currency=quoted_in)

    def evolve(self, event: Event, at: datetime) -> None:
        self.take(event)
        self.price = rounded(self.price)


def market_allows(call: Call, proceed: Proceed) -> Receipt:
    """Only what is listed is quoted and traded, and nothing while it is halted.

    A trade and a halt at the same moment are decided one after the other.
    """
    command: Any = call.command
    if isinstance(command, ExecuteTrade | QuotePrice | HaltTrading):
        stream = Instrument.stream_of(command.symbol)
        call.guard(GUARD, stream)
        found = Instrument()
        for event in call.past(stream):
            found.evolve(event, call.received_at)
        if not found.currency:
            raise NOT_LISTED.because(f"{command.symbol} is not listed.", "List it first.")
        if isinstance(command, ExecuteTrade) and found.halted:
            raise HALTED.because(
                f"Trading of {command.symbol} is halted.", "Wait for it to resume."
            )
        if not isinstance(command, HaltTrading):
            call.arguments["quoted_in"] = found.currency
    return proceed(call)
