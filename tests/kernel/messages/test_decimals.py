"""Decimals are bounded before anything is done with them, and have one notation."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import pytest

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.decimals import decimal_meta
from cqrs_app.kernel.messages.description import Field, fields_of
from cqrs_app.kernel.messages.messages import Query, parse, query, value
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.messages.sentences import A_NUMBER, FEWER_DIGITS

LOOK = Permission("prices.view", Role.VIEWER)
PLACES = "At most 4 digits after the point."
Price = Annotated[Decimal, decimal_meta("Price", ge=Decimal(0), le=Decimal(100_000_000), places=4)]


@value
class Offer:
    price: Price


@query(label="Price", permission=LOOK)
class AskPrice(Query):
    price: Price | None = None
    free: Decimal | None = None
    offers: tuple[Offer, ...] = ()


UNUSABLE = [
    ("1E-300000000", PLACES),
    ("1e-999999999", PLACES),
    ("0." + "0" * 39 + "1", PLACES),
    ("12.00000000000000000000000000001", PLACES),
    ("1E+999999999", "Must be 100000000 or less."),
    ("-1E+999999999", "Must be 0 or more."),
    ("NaN", A_NUMBER),
    ("sNaN", A_NUMBER),
    ("Infinity", A_NUMBER),
    ("1_000", A_NUMBER),
    ("\N{FULLWIDTH DIGIT ONE}", A_NUMBER),
    ("1" * 1_000_000, FEWER_DIGITS),
    ("1." + "0" * 100, FEWER_DIGITS),
    ("1e99999999999", FEWER_DIGITS),
]


@pytest.mark.parametrize(("text", "sentence"), UNUSABLE)
def test_a_text_that_is_no_usable_decimal_is_refused_with_one_sentence(
    text: str, sentence: str
) -> None:
    for from_text in (False, True):
        with pytest.raises(Invalid) as refused:
            parse(AskPrice, {"price": text}, from_text=from_text)
        assert refused.value.problems == {"price": sentence}
    with pytest.raises(Invalid) as refused:
        parse(AskPrice, {"offers": [{"price": "1"}, {"price": text}]})
    assert refused.value.problems == {"offers.1.price": sentence}


@pytest.mark.parametrize(("text", "sentence"), UNUSABLE[:9])
def test_a_decimal_that_was_made_before_is_bounded_too(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        AskPrice(price=Decimal(text))
    assert refused.value.problems == {"price": sentence}
    with pytest.raises(Invalid) as refused:
        AskPrice(offers=(Offer(price=Decimal(text)),))
    assert refused.value.problems == {"offers.0.price": sentence}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1E+3", "1000"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E-999999999", "0"),
        ("0E+999999999", "0"),
        ("12.5000000000", "12.5"),
        ("12.50", "12.50"),
        ("0.0001", "0.0001"),
        ("100000000", "100000000"),
    ],
)
def test_a_number_has_one_plain_notation(text: str, kept: str) -> None:
    assert str(parse(AskPrice, {"price": text}).price) == kept
    assert str(AskPrice(price=Decimal(text)).price) == kept
    assert str(parse(AskPrice, {"offers": [{"price": text}]}).offers[0].price) == kept


def test_a_whole_number_is_a_decimal_too() -> None:
    for made in (AskPrice(offers=(Offer(price=5),)), parse(AskPrice, {"offers": [{"price": 5}]})):  # type: ignore[arg-type]
        assert isinstance(made.offers[0].price, Decimal)


def test_a_decimal_without_limits_of_its_own_is_bounded() -> None:
    for text in ("1E-300000000", "1E+300000000"):
        with pytest.raises(Invalid):
            AskPrice(free=Decimal(text))


def _all_fields(cls: Any) -> Iterator[Field]:
    for field in fields_of(cls):
        yield from _all_fields(field.kind) if field.holds_values else [field]


def test_every_decimal_of_every_message_states_its_limits() -> None:
    registry = build_registry()
    messages = [*registry.commands.values(), *registry.queries.values()]
    decimals = [each for cls in messages for each in _all_fields(cls) if each.kind is Decimal]
    assert len(decimals) > 5
    assert [each.name for each in decimals if "places" not in each.hints] == []
