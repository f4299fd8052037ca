"""The port to payment providers: what any gateway can be asked, and what it says.

An adapter is asked for one request at a time, perhaps again and again under the same key, and must
do it once. It answers at once, says that the answer comes later, or raises Unreachable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from cqrs_app.areas.payments.words import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """What a gateway is asked for. `key` is the same whenever this is asked; `reference` is the
    gateway's own for the authorisation, or for the capture that is refunded, as far as there is
    one; `at` is now, in UTC."""

    key: str
    payment_id: str
    request_no: int
    asked: Asked
    amount: Decimal
    currency: str
    method: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """It is done; `reference` is what the gateway calls it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It is not done and will not be."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Later:
    """Somebody will say: a callback, or a person. `ask_again_in`: when to ask, if ever."""

    ask_again_in: timedelta | None


Said = Done | Declined | Later


class Unreachable(Exception):
    """Nobody knows whether it was done; the text is a sentence. It is asked again, same key."""


class Gateway(Protocol):
    """One provider. `ask` may take 20 seconds at most."""

    def ask(self, order: GatewayRequest) -> Said:
        """Raises Unreachable."""


class Manual:
    """No gateway: a person does it and records the answer."""

    def ask(self, order: GatewayRequest) -> Said:
        return Later(ask_again_in=None)
