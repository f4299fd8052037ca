"""One description of a field serves every interface."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta

from cqrs_app.kernel.messages.description import field_of, fields_of
from cqrs_app.kernel.messages.messages import value

Quantity = Annotated[int, Meta(title="Quantity", ge=1, extra={"inputmode": "numeric"})]


@value
class Part:
    sku: str


@value
class Whole:
    name: str
    how_many: Annotated[Quantity | None, Meta(description="Empty: all.", extra={"rows": 2})] = None
    parts: Annotated[tuple[Part, ...], Meta(title="Parts", max_length=3)] = ()
    main: Part = Part(sku="A")


def test_the_fields_stand_in_order_and_say_whether_they_are_needed() -> None:
    assert [(each.name, each.needed) for each in fields_of(Whole)] == [
        ("name", True),
        ("how_many", False),
        ("parts", False),
        ("main", False),
    ]
    assert [each.default for each in fields_of(Whole)] == [None, None, (), Part(sku="A")]


def test_what_is_said_on_the_outside_adds_to_what_the_type_says() -> None:
    found = field_of(Whole, "how_many")
    assert (found.title, found.help, found.kind) == ("Quantity", "Empty: all.", int)
    assert found.hints == {"inputmode": "numeric", "rows": 2}


def test_a_field_without_a_title_has_its_name() -> None:
    assert (field_of(Part, "sku").title, field_of(Part, "sku").help) == ("Sku", "")


def test_a_list_is_described_by_its_items() -> None:
    parts, main = field_of(Whole, "parts"), field_of(Whole, "main")
    assert (parts.kind, parts.many, parts.holds_values, parts.title) == (Part, True, True, "Parts")
    assert (main.kind, main.many, main.holds_values) == (Part, False, True)


def test_a_field_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(LookupError, match="Whole has no field sku"):
        field_of(Whole, "sku")
