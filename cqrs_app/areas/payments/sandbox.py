"""A gateway that moves no money and answers by rule, badly too: for trials and tests. Its behaviour
depends on the payment's token (`tok_declined`, see RULES) and, for captures and refunds, on the
amount. Its books are in the write store, so a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import Engine

from cqrs_app.areas.payments.gateway import Declined, Done, GatewayRequest, Later, Said, Unreachable
from cqrs_app.areas.payments.tables import sandbox_requests
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel.effects import insert_into

RULES = MappingProxyType(
    {
        "tok_declined": "declines the authorisation",
        "tok_timeout": "does each thing, but says nothing the first time it is asked",
        "tok_away": "never answers",
        "tok_twice": "answers, and says the same again by a callback",
        "tok_late": "answers some seconds later, by a callback",
    }
)
"""Tokens that make it misbehave; all others do not."""

DECLINED_PENCE = MappingProxyType({Asked.CAPTURE: Decimal("0.51"), Asked.REFUND: Decimal("0.52")})
"""Captures and refunds of amounts that end so are declined."""

LATE = timedelta(seconds=3)

_TIMED_OUT = "The gateway did not answer in time. Nobody knows yet whether it was done."


@dataclass(frozen=True, slots=True)
class Entry:
    """How many requests the sandbox received under a key, this one included, and since when."""

    times: int
    first_at: datetime


class Sandbox:
    """`call_back` delivers an answer to the console as a provider does."""

    def __init__(self, engine: Engine, call_back: Callable[[GatewayRequest, Said], bool]) -> None:
        self._engine = engine
        self._call_back = call_back

    def ask(self, order: GatewayRequest) -> Said:
        entry = self._book(order)
        if order.method == "tok_away" or (order.method == "tok_timeout" and entry.times == 1):
            raise Unreachable(_TIMED_OUT)
        answer = answer_to(order)
        if order.method == "tok_twice":
            self._call_back(order, answer)
        if order.method != "tok_late":
            return answer
        if order.at < entry.first_at + LATE:
            return Later(ask_again_in=LATE)
        return Later(ask_again_in=LATE) if self._call_back(order, answer) else answer

    def _book(self, order: GatewayRequest) -> Entry:
        row = insert_into(self._engine, sandbox_requests).values(
            request_key=order.key,
            asked=str(order.asked),
            amount=order.amount,
            currency=order.currency,
            method=order.method,
            times=1,
            first_at=order.at,
        )
        booked = row.on_conflict_do_update(
            index_elements=["request_key"], set_={"times": sandbox_requests.c.times + 1}
        ).returning(sandbox_requests.c.times, sandbox_requests.c.first_at)
        with self._engine.begin() as connection:
            found = connection.execute(booked).one()
        return Entry(found.times, found.first_at)


def answer_to(order: GatewayRequest) -> Done | Declined:
    """The sandbox's final answer: the same for the same key, whenever it is asked."""
    if order.asked == Asked.AUTHORISATION and order.method == "tok_declined":
        return Declined("card_declined", "The bank declined the card.")
    if order.amount % 1 == DECLINED_PENCE.get(order.asked):
        return Declined("not_possible", f"The bank declined the {order.asked}.")
    return Done(f"sbx_{order.key.removeprefix('evt_')[:24]}")
