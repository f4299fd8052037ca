"""What happens to a command that fails a check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cqrs_app.kernel import Refusal
from cqrs_app.kernel.effects import Call


class Reaction(StrEnum):
    """`flag`: the command is accepted and marked."""

    ACCEPT = "accept"
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What happens to payments that do not fit their order (more than `excess_percent` beyond its
    total included), to new orders whose customer is not registered, deactivated or erased, and to
    new orders with an unknown SKU. `address_needed`: an order without an address cannot be shipped.
    """

    payments: Reaction
    excess_percent: int
    unknown_customers: Reaction
    inactive_customers: Reaction
    unknown_products: Reaction
    address_needed: bool


NO_CHECKS = Checks(
    payments=Reaction.ACCEPT,
    excess_percent=0,
    unknown_customers=Reaction.ACCEPT,
    inactive_customers=Reaction.ACCEPT,
    unknown_products=Reaction.ACCEPT,
    address_needed=False,
)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a command fails a check, and what to do instead."""

    refusal: Refusal
    why: str
    instead: str


def react(call: Call, reaction: Reaction, misfits: Iterator[Misfit]) -> None:
    """Raises Refused, or adds a warning to the call."""
    for misfit in misfits:
        if reaction is Reaction.REFUSE:
            raise misfit.refusal.because(misfit.why, misfit.instead)
        if reaction is Reaction.FLAG:
            call.warnings.append(misfit.refusal.because(misfit.why))
