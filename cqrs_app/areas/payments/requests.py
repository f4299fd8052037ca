"""The requests of a payment and their answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cqrs_app.areas.payments.words import Asked

NOTHING = Decimal(0)


@dataclass
class Request:
    """One request to the gateway. `outcome` is empty until it is answered, then done or declined;
    `answer` is the gateway's reference, or its code if it declined.
    """

    asked: Asked
    amount: Decimal
    outcome: str = ""
    answer: str = ""

    @property
    def is_open(self) -> bool:
        return not self.outcome


@dataclass
class Dispute:
    """Money taken back; `outcome` is empty until it is settled."""

    amount: Decimal
    outcome: str = ""


def total(requests: list[Request], asked: Asked, *outcomes: str) -> Decimal:
    """The sum of the requests of this kind with one of these outcomes ("": not answered)."""
    fit = (each for each in requests if each.asked == asked and each.outcome in outcomes)
    return sum((each.amount for each in fit), NOTHING)


def is_open(requests: list[Request], asked: Asked) -> bool:
    """Whether a request of this kind is not answered."""
    return any(each.asked == asked and each.is_open for each in requests)
