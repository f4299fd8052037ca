"""What the limits of a role refuse. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cqrs_app.kernel.errors import Refusal
from cqrs_app.platform.operators.types import CustomRole
from cqrs_app.standards.money import exact

BEYOND_LIMIT = Refusal("beyond_limit", "It is beyond a limit of the role of who sends it.")
ELSEWHERE = "Ask somebody with another role."


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What limits are compared with. `at_stake` is what the command moves, or else the worth of
    what it is about, by currency. `country`, `team` and `assignee` are those of the order that it
    is about, `destination` is the country that it ships to after the command, where an address says
    so; `about_order`: whether there is one. `role` is whose limits these are, in words."""

    command: str
    label: str
    actor: str
    at_stake: Mapping[str, Decimal]
    country: str = ""
    destination: str = ""
    about_order: bool = False
    team: str = ""
    assignee: str = ""
    role: str = "your role"


def require_within(role: CustomRole, attempt: Attempt) -> None:
    """Raise Refused for what is beyond a limit."""
    _require_amount(role, attempt)
    if role.countries and (attempt.about_order or attempt.country):
        _require_country(role, attempt)
    mine = attempt.assignee == attempt.actor
    if role.teams and attempt.about_order and attempt.team not in role.teams and not mine:
        raise BEYOND_LIMIT.because(
            f"{_start(attempt.role)} may act on orders of {_listed(role.teams)} only.", ELSEWHERE
        )


def _require_amount(role: CustomRole, attempt: Attempt) -> None:
    limits = {
        each.currency: each.amount for each in role.amounts if each.command == attempt.command
    }
    if not limits:
        return
    most = _listed([_money(amount, currency) for currency, amount in limits.items()])
    for currency, amount in attempt.at_stake.items():
        if amount > limits.get(currency, Decimal(0)):
            raise BEYOND_LIMIT.because(
                f"{attempt.label}: {attempt.role} may do this up to {most}. This is about "
                f"{_money(amount, currency)}.",
                ELSEWHERE,
            )


def _require_country(role: CustomRole, attempt: Attempt) -> None:
    if not {attempt.country, attempt.destination or attempt.country} <= {*role.countries}:
        raise BEYOND_LIMIT.because(
            f"{_start(attempt.role)} may act on orders to {_listed(role.countries)} only.",
            ELSEWHERE,
        )


def _start(words: str) -> str:
    return words[:1].upper() + words[1:]


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return " or ".join(names)


def _money(amount: Decimal, currency: str) -> str:
    return f"{currency} {exact(amount, currency):,f}"
