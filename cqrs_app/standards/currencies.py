"""The currencies of ISO 4217 and the digits after the point that each is paid in.

Source: ISO 4217 List One as published by SIX, https://www.six-group.com/en/products-services/
financial-information/data-standards.html; without its codes for testing, metals and units of
account. Babel's table follows the CLDR instead, which gives the digits in everyday use: 0 for IQD.
"""

from __future__ import annotations

from types import MappingProxyType

USUAL_PLACES = 2

_OF_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_OF_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_OF_THREE = "BHD IQD JOD KWD LYD OMR TND"
WITHDRAWN = frozenset(["BGN", "HRK", "ANG", "CUC", "SLL", "ZWL"])
"""Withdrawn since 2020: earlier orders in them are recorded, paid and refunded."""

PLACES = MappingProxyType(
    dict.fromkeys((*_OF_TWO.split(), *sorted(WITHDRAWN)), USUAL_PLACES)
    | dict.fromkeys(_OF_NONE.split(), 0)
    | dict.fromkeys(_OF_THREE.split(), 3)
)
"""Code -> digits after the point."""

NO_CURRENCY = "Use a 3-letter code of ISO 4217, e.g. EUR."


def currency_code(text: str) -> str:
    """The code as it is stored. Raises ValueError with a sentence for anything else."""
    code = text.upper()
    if code not in PLACES:
        raise ValueError(NO_CURRENCY)
    return code


def places_of(currency: str) -> int:
    """Digits after the point; two for an unknown code, which old events may contain."""
    return PLACES.get(currency, USUAL_PLACES)
