"""Options derived from declarations: typed values make the same message as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
import pytest

from cqrs_app.installed_areas import build_registry
from cqrs_app.interfaces.cli.command import command
from cqrs_app.interfaces.cli.message_group import message_from
from cqrs_app.interfaces.cli.query import query
from cqrs_app.kernel.messages.messages import parse
from tests.messages import COMMANDS, QUERIES

REGISTRY = build_registry()
EXAMPLES = {**COMMANDS, **QUERIES}
CLASSES: dict[str, Any] = {**REGISTRY.commands, **REGISTRY.queries}


def typed(fields: dict[str, Any], path: str = "--") -> Iterator[str]:
    """Plain values as a person would type them."""
    for name, value in fields.items():
        option = path + name.replace("_", "-")
        if isinstance(value, bool):
            yield option if value else f"--no-{option[2:]}"
        elif isinstance(value, dict):
            yield from typed(value, f"{option}.")
        else:
            for each in value if isinstance(value, list) else [value]:
                yield from (option, row(each) if isinstance(each, dict) else str(each))


def row(values: dict[str, Any]) -> str:
    return ",".join(
        f'{name}="{text}"' if "," in str(text) else f"{name}={text}"
        for name, text in values.items()
    )


def made(name: str, *words: str) -> Any:
    group = command if name in REGISTRY.commands else query
    with click.Context(group) as parent:
        found = group.get_command(parent, name)
        assert found is not None
        return message_from(CLASSES[name], found.make_context(name, list(words), parent))


def test_every_command_and_query_has_an_example() -> None:
    assert set(COMMANDS) == set(REGISTRY.commands)
    assert set(QUERIES) == set(REGISTRY.queries)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_typed_makes_the_message_that_json_makes(name: str) -> None:
    expected = parse(CLASSES[name], EXAMPLES[name])
    assert made(name, *typed(EXAMPLES[name])) == expected


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_option_has_a_help_text_and_no_two_have_one_name(name: str) -> None:
    group = command if name in REGISTRY.commands else query
    with click.Context(group) as parent:
        found = group.get_command(parent, name)
        assert found is not None
        options = [each for each in found.params if isinstance(each, click.Option)]
    assert all(option.help for option in options)
    names = [option for each in options for option in each.opts]
    assert len(names) == len(set(names))


def test_underscores_and_equal_signs_are_as_good_as_hyphens_and_spaces() -> None:
    assert made("GetOrder", "--order_id=A_1").order_id == "A_1"
    assert made("GetOrder", "--order-id", "A_1").order_id == "A_1"


def test_rows_may_be_one_json_array_or_an_object_each() -> None:
    fields = COMMANDS["PlaceOrder"]
    expected = parse(CLASSES["PlaceOrder"], fields)
    rest = list(typed({key: value for key, value in fields.items() if key != "lines"}))
    first, second = (json.dumps(line) for line in fields["lines"])
    assert made("PlaceOrder", *rest, "--lines", f"[{first}, {second}]") == expected
    assert made("PlaceOrder", *rest, "--lines", first, "--lines", second) == expected
    assert made("PlaceOrder", *rest, "--lines", first, "--lines", row(fields["lines"][1])) == (
        expected
    )


def test_a_number_in_json_stays_exact() -> None:
    line = '{"sku": "A", "quantity": 1, "unit_price": 0.1234}'
    words = ["--order-id", "1", "--country", "Peru", "--currency", "GBP", "--lines", line]
    assert str(made("PlaceOrder", *words).lines[0].unit_price) == "0.1234"


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("ApproveOrder", (), "--order-id: Required."),
        ("ApproveOrder", ("--order-id", "x" * 61), "--order-id: Enter at most 60 characters."),
        ("ListOrders", ("--limit", "many"), "--limit: Enter a whole number."),
        ("ListOrders", ("--limit", "501"), "--limit: Must be 500 or less."),
        ("ListOrders", ("--min-total", "1.23456"), "--min-total: At most 4 digits after the"),
        ("ListOrders", ("--placed-from", "yesterday"), "--placed-from: Enter a date"),
        (
            "ChangeShippingAddress",
            ("--order-id", "1", "--address.city", "x" * 101),
            "--address.city: Enter at most 100 characters.",
        ),
        (
            "ShipOrder",
            (
                "--order-id",
                "1",
                "--lines",
                "line_no=1,quantity=1",
                "--lines",
                "line_no=2,quantity=0",
            ),
            "--lines, row 2, quantity: Must be 1 or more.",
        ),
        ("ShipOrder", ("--lines", "line_no"), "'line_no' has no “=”. A row is written line_no=…"),
        ("ShipOrder", ("--lines", "line=1"), "There is no field 'line'."),
        ("ShipOrder", ("--lines", '"line_no=1'), "A double quote"),
        ("ShipOrder", ("--lines", "[{]"), "This is not usable JSON"),
        ("HoldOrder", ("--reason", "boredom"), "'boredom' is not one of 'payment_check'"),
    ],
)
def test_what_cannot_be_used_names_its_option(
    name: str, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(click.UsageError) as refused:
        made(name, *words)
    assert sentence in refused.value.format_message()
    assert refused.value.exit_code == 2


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(click.UsageError) as refused:
        made("PlaceOrder")
    for option in ("--order-id", "--currency", "--lines"):
        assert f"{option}: Required." in str(refused.value)
