"""The countries of ISO 3166-1, by name, code and common short form.

Each is stored as its English name in the Unicode CLDR, which Babel contains. Names in other
languages are for display only: the English name is stored and compared. A text that is no country
has one spelling too, so that filters compare texts as they are, on every database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from babel.core import Locale, get_global

# CLDR's codes of two letters that ISO 3166-1 does not assign: exceptional reservations, unions,
# and codes for private use (https://www.unicode.org/reports/tr35/#unicode_region_subtag).
_NOT_ISO = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)

_LONGEST_CODE = 3

# Common short forms and former names that CLDR's English names do not include.
_SHORT_FORMS = MappingProxyType(
    {
        "AE": "UAE",
        "BN": "Brunei Darussalam",
        "BO": "Plurinational State of Bolivia",
        "CD": "DR Congo|DRC|Democratic Republic of the Congo",
        "CG": "Congo|Republic of the Congo",
        "CI": "Ivory Coast|Cote d'Ivoire",
        "CV": "Cabo Verde",
        "CZ": "Czech Republic",
        "FM": "Federated States of Micronesia",
        "GB": "Great Britain|Britain|England|Scotland|Wales|Northern Ireland",
        "HK": "Hong Kong",
        "IE": "Eire|Republic of Ireland",
        "IR": "Islamic Republic of Iran",
        "KP": "Democratic People's Republic of Korea",
        "KR": "Republic of Korea",
        "LA": "Lao|Lao People's Democratic Republic",
        "MD": "Republic of Moldova",
        "MK": "Macedonia",
        "MM": "Myanmar|Burma",
        "MO": "Macao|Macau",
        "NL": "Holland|The Netherlands",
        "PS": "Palestine",
        "RU": "Russian Federation",
        "SY": "Syrian Arab Republic",
        "SZ": "Swaziland",
        "TL": "East Timor",
        "TR": "Turkey|Turkiye",
        "TW": "Taiwan",
        "TZ": "United Republic of Tanzania",
        "US": "USA|United States of America|America",
        "VA": "Vatican|Holy See",
        "VN": "Viet Nam",
        "ZA": "RSA|Republic of South Africa",
    }
)


@cache
def names() -> dict[str, str]:
    """Two-letter code -> stored name."""
    territories: Mapping[str, str] = Locale("en").territories
    return {code: territories[code] for code in _codes()}


@cache
def codes_by_name() -> dict[str, str]:
    """The name that is stored -> code of two letters."""
    return {name: code for code, name in names().items()}


@lru_cache(2_048)
def country_name(text: str) -> str:
    """The stored name of a country in any of these forms. Any other text is kept, since a source
    of history may contain something like "Unspecified": each word capitalised, up to three letters
    in capitals like a code."""
    return _by_key().get(_key(text)) or _capitalised(text)


def _capitalised(text: str) -> str:
    if len(text) <= _LONGEST_CODE and text.isascii():
        return text.upper()
    return unicodedata.normalize("NFC", " ".join(word.capitalize() for word in text.split()))


def is_country(text: str) -> bool:
    """Whether this is the stored name of a country."""
    return text in _stored()


@cache
def _codes() -> tuple[str, ...]:
    territories: Mapping[str, str] = Locale("en").territories
    return tuple(
        code for code in territories if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_ISO
    )


@cache
def _stored() -> frozenset[str]:
    return frozenset(names().values())


@cache
def _by_key() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, name in names().items():
        forms = [code, name, *_SHORT_FORMS.get(code, "").split("|")]
        found |= {_key(form): name for form in forms if form}
    # ISO's codes of three letters, and UK.
    for alias, codes in get_global("territory_aliases").items():
        if re.fullmatch("[A-Z]{3}|UK", alias) and len(codes) == 1 and codes[0] in names():
            found.setdefault(_key(alias), names()[codes[0]])
    return found


def _key(text: str) -> str:
    """The part of a name that is compared: its letters without case and accents; "St." is
    "Saint"."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("&", " and ")
    words = re.findall(r"[^\W_]+", re.sub(r"[\u0300-\u036f'\u2019.]", "", plain))
    return " ".join("saint" if word == "st" else word for word in words if word != "the")
