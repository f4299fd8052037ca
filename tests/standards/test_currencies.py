"""Currencies and their digits, held against Babel's list."""

from __future__ import annotations

from datetime import date

import pytest
from babel.core import get_global

from cqrs_app.standards.currencies import PLACES, currency_code, places_of


@pytest.mark.parametrize(("code", "places"), [("JPY", 0), ("KWD", 3), ("EUR", 2), ("IQD", 3)])
def test_each_currency_has_the_digits_of_iso_4217(code: str, places: int) -> None:
    assert places_of(code) == places
    assert currency_code(code.lower()) == code


@pytest.mark.parametrize("code", ["ZZZ", "XXX", "XTS", "XAU", "EU", "EURO", "\u20ac"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        currency_code(code)


def test_every_currency_that_a_country_pays_in_is_there() -> None:
    paid_in = {
        code
        for used in get_global("territory_currencies").values()
        for code, _, until, is_tender in used
        if is_tender and (until is None or date(*until) > date(2026, 1, 1))
    }
    assert paid_in - set(PLACES) <= {"XXX", "CHE", "CHW"}
