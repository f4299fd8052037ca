"""What is done about a command that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cqrs_app.kernel import Refusal
from cqrs_app.kernel.effects import Call


class Reaction(StrEnum):
    """`flag`: it is accepted, and marked."""

    ACCEPT = "accept"
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is done about payments that do not fit their order, more than `excess_percent` beyond
    what it costs included; and about customers of new orders that are not registered, or were
    deactivated or erased; and about their SKUs that are no product. `address_needed`: nothing is
    shipped without an address."""

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
    """Why a command does not fit, and what to do instead."""

    refusal: Refusal
    why: str
    instead: str


def react(call: Call, reaction: Reaction, misfits: Iterator[Misfit]) -> None:
    """Raises Refused, or leaves a warning with the call."""
    for misfit in misfits:
        if reaction is Reaction.REFUSE:
            raise misfit.refusal.because(misfit.why, misfit.instead)
        if reaction is Reaction.FLAG:
            call.warnings.append(misfit.refusal.because(misfit.why))
