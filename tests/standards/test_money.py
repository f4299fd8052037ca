"""Amounts with the digits of their currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cqrs_app.standards.money import charged, exact, too_fine


@pytest.mark.parametrize(
    ("amount", "currency", "written", "paid"),
    [
        ("12.5", "EUR", "12.50", "12.50"),
        ("12.5000", "EUR", "12.50", "12.50"),
        ("12.345", "EUR", "12.345", "12.34"),
        ("12.355", "EUR", "12.355", "12.36"),
        ("1200.0", "JPY", "1200", "1200"),
        ("1E+3", "JPY", "1000", "1000"),
        ("0.5", "JPY", "0.5", "0"),
        ("2.5", "KWD", "2.500", "2.500"),
        ("-0.001", "GBP", "-0.001", "0.00"),
        ("1000000000000", "KWD", "1000000000000.000", "1000000000000.000"),
    ],
)
def test_an_amount_has_one_text_and_is_charged_as_its_currency_can_pay(
    amount: str, currency: str, written: str, paid: str
) -> None:
    assert str(exact(Decimal(amount), currency)) == written
    assert charged(Decimal(amount), currency) == Decimal(paid)


def test_an_amount_that_nobody_can_pay_says_why() -> None:
    assert too_fine(Decimal("1.50"), "EUR") == ""
    assert too_fine(Decimal("1.5"), "JPY") == "JPY has no digits after the point."
    assert too_fine(Decimal("1.005"), "EUR") == "EUR has 2 digits after the point."
