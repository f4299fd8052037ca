"""Countries by name, code and short form."""

from __future__ import annotations

import pytest

from cqrs_app.standards import countries
from cqrs_app.standards.countries import country_name, is_country


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("france", "France"),
        ("FR", "France"),
        ("fra", "France"),
        ("UK", "United Kingdom"),
        ("Great Britain", "United Kingdom"),
        ("EIRE", "Ireland"),
        ("RSA", "South Africa"),
        ("U.S.A.", "United States"),
        ("cote d'ivoire", "C\u00f4te d\u2019Ivoire"),
        ("Czech Republic", "Czechia"),
        ("Turkey", "T\u00fcrkiye"),
        ("Saint Lucia", "St. Lucia"),
        ("Bosnia and Herzegovina", "Bosnia & Herzegovina"),
        ("The Netherlands", "Netherlands"),
        ("hong kong", "Hong Kong SAR China"),
    ],
)
def test_a_country_has_one_name_however_it_is_written(written: str, stored: str) -> None:
    assert country_name(written) == stored
    assert is_country(stored)
    assert country_name(stored) == stored


@pytest.mark.parametrize("text", ["Unspecified", "European Community", "ZZ", "EU", "XK", "Korea"])
def test_what_is_no_country_stays_as_it_is(text: str) -> None:
    assert country_name(text) == text
    assert not is_country(text)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("UNSPECIFIED", "Unspecified"),
        ("european  community", "European Community"),
        ("eu", "EU"),
        ("\u00d6STERREICH-UNGARN", "\u00d6sterreich-ungarn"),
        ("\u0447\u0430\u0441\u0442\u044c", "\u0427\u0430\u0441\u0442\u044c"),
    ],
)
def test_what_is_no_country_has_one_text_whatever_its_capitals(written: str, stored: str) -> None:
    assert {country_name(each) for each in (written, written.upper(), written.lower())} == {stored}
    assert country_name(stored) == stored


def test_iso_3166_has_249_countries_and_their_names_differ() -> None:
    assert len(countries.names()) == len(set(countries.names().values())) == 249
