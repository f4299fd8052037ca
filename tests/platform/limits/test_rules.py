from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.limits.rules import Attempt, require_within
from cqrs_app.platform.operators.types import AmountLimit, CustomRole

UP_TO_100 = AmountLimit(command="RefundPayment", amount=Decimal(100), currency="EUR")


def role(**limits: Any) -> CustomRole:
    return CustomRole(
        role="desk", based_on="supervisor", permissions=("payments.refund",), **limits
    )


def attempt(amount: int = 10, currency: str = "EUR", **about: Any) -> Attempt:
    given = {"command": "RefundPayment", "label": "Refund payment", "actor": "mia", **about}
    return Attempt(at_stake={currency: Decimal(amount)}, **given)


def refused(limited: CustomRole, tried: Attempt) -> str:
    with pytest.raises(Refused) as error:
        require_within(limited, tried)
    assert error.value.code == "beyond_limit"
    return error.value.sentence


def test_the_limit_itself_is_within_it() -> None:
    require_within(role(amounts=(UP_TO_100,)), attempt(100))


def test_more_is_refused_with_what_the_role_may() -> None:
    sentence = refused(role(amounts=(UP_TO_100,)), attempt(1101))
    assert sentence == (
        "Refund payment: your role may do this up to EUR 100.00. This is about EUR 1,101.00. "
        "Nothing was changed. Ask somebody with another role."
    )


def test_another_currency_is_beyond_the_limit_unless_it_has_one() -> None:
    dollars = AmountLimit(command="RefundPayment", amount=Decimal(50), currency="USD")
    refused(role(amounts=(UP_TO_100,)), attempt(1, "USD"))
    require_within(role(amounts=(UP_TO_100, dollars)), attempt(50, "USD"))
    assert "EUR 100.00 or USD 50.00" in refused(
        role(amounts=(UP_TO_100, dollars)), attempt(51, "USD")
    )


def test_an_action_without_a_limit_has_none() -> None:
    require_within(role(amounts=(UP_TO_100,)), attempt(1000, command="CapturePayment"))


def test_an_order_to_another_country_is_refused() -> None:
    limited = role(countries=("France", "Ireland"))
    require_within(limited, attempt(about_order=True, country="Ireland"))
    assert "orders to France or Ireland only" in refused(
        limited, attempt(about_order=True, country="Spain")
    )
    refused(limited, attempt(about_order=True, country=""))
    require_within(
        limited,
        attempt(),
    )


def test_an_order_of_another_team_is_refused_unless_it_is_ones_own() -> None:
    limited = role(teams=("returns",))
    require_within(limited, attempt(about_order=True, team="returns"))
    require_within(limited, attempt(about_order=True, assignee="mia"))
    require_within(limited, attempt())
    refused(limited, attempt(about_order=True, team="stock"))
    assert "orders of returns only" in refused(limited, attempt(about_order=True))
