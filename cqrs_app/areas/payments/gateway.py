"""The port to payment providers: the requests of a gateway and its answers. An adapter receives one
request at a time, possibly repeated under the same key, and must carry it out once. It answers at
once, says that the answer comes later, or raises Unreachable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from cqrs_app.areas.payments.words import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """A request to a gateway. `key` is the same at every repetition; `reference` is the gateway's
    own for the authorisation, or for the capture being refunded, if there is one; `at` is now, in
    UTC.
    """

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
    """It was done; `reference` is the gateway's own."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It was not done and will not be."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Later:
    """The answer comes later, by a callback or a person. `ask_again_in`: when to ask again, if
    ever.
    """

    ask_again_in: timedelta | None


Said = Done | Declined | Later


class Unreachable(Exception):
    """Nobody knows whether it was done; the text is a sentence. The request is repeated under its
    key.
    """


class Gateway(Protocol):
    """One provider. `ask` may take at most 20 seconds."""

    def ask(self, order: GatewayRequest) -> Said:
        """Raises Unreachable."""


class Manual:
    """No gateway: a person carries out the request and records the answer."""

    def ask(self, order: GatewayRequest) -> Said:
        return Later(ask_again_in=None)
