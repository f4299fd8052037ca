"""A type's stored shape is what JSON it accepts, and nothing of its documentation."""

from __future__ import annotations

import dataclasses
import inspect
from enum import StrEnum
from typing import Annotated

import msgspec
import pytest

from cqrs_app.kernel.messages.shapes import shape_of, undocumented


class Size(StrEnum):
    """How large it is.

    In words.
    """

    SMALL = "small"


@dataclasses.dataclass(frozen=True)
class Box:
    """Something to put things in.

    It has a size.
    """

    description: Annotated[str, msgspec.Meta(description="What is in it.", examples=["Cups"])]
    examples: list[Size]
    notes: dict[str, Size] | None = None


def test_another_docstring_is_no_other_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    # From 3.13 on, the compiler takes the indentation off docstrings.
    before = shape_of(Box)
    for text in (str(inspect.getdoc(Box)), "Something else."):
        monkeypatch.setattr(Box, "__doc__", text)
        monkeypatch.setattr(Size, "__doc__", text)
        assert shape_of(Box) == before


def test_a_field_that_is_named_like_documentation_is_part_of_the_shape() -> None:
    fields = shape_of(Box)["$defs"]["Box"]
    assert list(fields["properties"]) == ["description", "examples", "notes"]
    assert fields["required"] == ["description", "examples"]
    assert fields["properties"]["description"] == {"type": "string"}


def test_what_a_field_accepts_is_part_of_the_shape() -> None:
    @dataclasses.dataclass
    class Short:
        name: Annotated[str, msgspec.Meta(max_length=3)]

    @dataclasses.dataclass
    class Long:
        name: Annotated[str, msgspec.Meta(max_length=30)]

    Long.__name__ = "Short"
    assert shape_of(Short)["$defs"] != shape_of(Long)["$defs"]


def test_a_schema_without_documentation_is_left_as_it_is() -> None:
    assert undocumented(shape_of(Box)) == shape_of(Box)
