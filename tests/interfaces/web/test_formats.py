"""Numbers, amounts, days and countries in several locales, and numbers that people type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cqrs_app.interfaces.web.formats import formats_of

NARROW, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en_GB", "1,234,567.50"),
        ("en-US", "1,234,567.50"),
        ("de_DE", "1.234.567,50"),
        ("fr_FR", f"1{NARROW}234{NARROW}567,50"),
        ("pl_PL", f"1{WIDE}234{WIDE}567,50"),
        ("hi_IN", "12,34,567.50"),
        ("ar_EG", "1,234,567.50"),
    ],
)
def test_amounts_are_written_and_read_as_the_locale_has_it(locale: str, text: str) -> None:
    formats, value = formats_of(locale), Decimal("1234567.50")
    assert formats.amount(value, "EUR") == text
    assert formats.amount(-value, "EUR") == f"\N{MINUS SIGN}{text}"
    assert formats.money(value, "EUR") == f"EUR{WIDE}{text}"
    assert formats.amount_in("EUR 1234567.5") == f"EUR{WIDE}{text}"
    assert formats.read(text) == value
    assert formats.read(formats.typed(value)) == value
    assert formats.read("0" + formats.typed(Decimal("0.0001"))[1:]) == Decimal("0.0001")


@pytest.mark.parametrize("value", ["0", "0.5", "12", "999.99", "1000", "123456789012.3456"])
@pytest.mark.parametrize("locale", ["en_GB", "de_DE", "de_CH", "fr_FR", "hi_IN", "es_ES", "ja_JP"])
def test_what_is_written_is_read_as_the_same_number(locale: str, value: str) -> None:
    formats = formats_of(locale)
    assert formats.read(formats.exact(Decimal(value), "CLF")) == Decimal(value)
    assert formats.read(formats.typed(Decimal(value))) == Decimal(value)


@pytest.mark.parametrize(
    ("locale", "text", "value"),
    [
        ("fr_FR", "1 234,5", "1234.5"),
        ("de_CH", "1\N{RIGHT SINGLE QUOTATION MARK}234.5", "1234.5"),
        ("de_DE", "1234,5", "1234.5"),
        ("de_DE", "1.234", "1234"),
        ("en_GB", "-.5", "-0.5"),
    ],
)
def test_people_type_groups_as_they_like(locale: str, text: str, value: str) -> None:
    assert formats_of(locale).read(text) == Decimal(value)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de_DE", "12.50"),
        ("de_DE", "1.2345,5"),
        ("en_GB", "12,50"),
        ("en_GB", "NaN"),
        ("en_GB", "1e9"),
        ("en_GB", "1 000"),
        ("en_GB", ""),
        ("en_GB", "\N{ARABIC-INDIC DIGIT ONE}"),
        ("en_GB", "1" * 1_000_000),
    ],
)
def test_what_could_be_meant_otherwise_is_refused(locale: str, text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        formats_of(locale).read(text)


def test_amounts_are_shown_rounded_and_unit_prices_exactly() -> None:
    formats = formats_of("en_GB")
    assert formats.amount(Decimal("38.7650"), "EUR") == "38.76"
    assert formats.amount(Decimal("1500.5"), "JPY") == "1,500"
    assert formats.exact(Decimal("0.4567"), "EUR") == "0.4567"
    assert formats.exact(Decimal("1500.0"), "JPY") == "1,500"


def test_amounts_and_moments_in_sentences_are_shown_as_all_others() -> None:
    formats, berlin = formats_of("de_DE"), ZoneInfo("Europe/Berlin")
    told = "Order A1 was approved on 1 Dec 2010 at 12:03 UTC; EUR 1119.5 is owed. ABC 5 stays."
    assert formats.sentence(told, berlin) == (
        f"Order A1 was approved on 1. Dez. 2010 13:03; EUR{WIDE}1.119,50 is owed. ABC 5 stays."
    )


def test_days_times_shares_and_countries_follow_the_locale() -> None:
    german, english = formats_of("de_DE"), formats_of("en_GB")
    moment, berlin = datetime(2025, 11, 20, 11, 3, 4, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    assert english.when(moment, berlin, date(2026, 1, 1)) == "20 Nov 2025 12:03"
    assert english.when(moment, berlin, date(2025, 12, 1)) == "20 Nov 12:03"
    assert english.when(moment, berlin, date(2025, 11, 20)) == "12:03:04"
    assert german.when(moment, berlin, date(2025, 12, 1)) == "20. Nov. 12:03"
    assert formats_of("en_US").when(moment, berlin, date(2026, 1, 1)) == (
        f"Nov 20, 2025 12:03{NARROW}PM"
    )
    assert (english.percent(0.931), german.percent(0.931, 1)) == ("93%", f"93,1{WIDE}%")
    assert (german.milliseconds(0.42), german.milliseconds(1_300)) == ("0,42 ms", "1,3 s")
    assert (german.milliseconds(0.004), german.milliseconds(0.005)) == ("0 ms", "0,01 ms")
    assert german.plural(1_234, "order") == "1.234 orders"
    assert (german.country("Germany"), german.country("Unspecified")) == (
        "Deutschland",
        "Unspecified",
    )
    assert (german.stored_country("deutschland"), german.stored_country("DE")) == ("Germany", "DE")
