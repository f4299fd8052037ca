from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from flask import Flask, g
from msgspec import Meta
from werkzeug.datastructures import MultiDict

from cqrs_app.areas.orders.commands import ChangeShippingAddress, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.interfaces.web.forms import (
    change_rows,
    command_from,
    expected_version,
    form_for,
    prefill,
    renew,
    usable,
)
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, command, value
from cqrs_app.services import services_of
from cqrs_app.settings import Settings

SKU = Annotated[str, Meta(min_length=1, max_length=8, title="Article")]
PRICE = Annotated[Decimal, Meta(title="Price", extra={"ge": Decimal(0), "places": 4})]


class Reason(StrEnum):
    PAYMENT = "payment"
    ADDRESS = "address"

    @property
    def label(self) -> str:
        return f"The {self.value} is unclear"


class Size(StrEnum):
    EXTRA_LARGE = "xl"


@value
class Line:
    sku: SKU
    quantity: Annotated[int, Meta(ge=1, le=1_000, title="Quantity")]
    price: PRICE
    gift: bool = False


@value
class Address:
    street: Annotated[str, Meta(min_length=1, max_length=20, title="Street")]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", title="Country")] = "GB"


@command(label="Try everything", permission="orders.place", minds_version=True)
class TryEverything(Command):
    order_id: Annotated[str, Meta(min_length=1, max_length=12, title="Order")]
    count: Annotated[int, Meta(ge=1, title="Count", description="How many there are.")]
    price: PRICE
    reason: Annotated[Reason, Meta(title="Reason")]
    due: date
    seen_at: datetime
    ship_to: Annotated[Address, Meta(title="Ship to")]
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=3, title="Lines")]
    note: Annotated[
        str, Meta(max_length=30, extra={"widget": "textarea", "autocomplete": "off"})
    ] = ""
    email: Annotated[str, Meta(min_length=3, extra={"autocomplete": "email"})] | None = None
    urgent: bool = False
    size: Size | None = None
    bill_to: Address | None = None
    tags: Annotated[tuple[str, ...], Meta(max_length=2)] = ()
    limit: Annotated[Decimal | None, Meta(extra={"le": Decimal(10)})] = None

    def check(self) -> Iterator[tuple[str, str]]:
        if self.count == 13:
            yield "count", "Thirteen brings bad luck."
            yield "lines.0.sku", "This article too."
            yield "lines", "There are bad articles."
            yield "ship_to.street", "Here lives nobody."
            yield "nowhere", "All in all it is odd."


GOOD = {
    "command_id": "7c1b4f5e-0000-4000-8000-000000000001",
    "expected_version": "4",
    "order_id": "A-17",
    "count": " 2 ",
    "price": "12.50",
    "reason": "payment",
    "due": "2026-03-31",
    "seen_at": "2026-07-01T14:05",
    "ship_to-street": "1 High Street",
    "ship_to-country": "DK",
    "lines-0-sku": "85123A",
    "lines-0-quantity": "6",
    "lines-0-price": "2.55",
    "lines-0-gift": "y",
    "lines-1-sku": "85123A",
    "lines-1-quantity": "1",
    "lines-1-price": "0",
    "note": "  first\r\nsecond  ",
}


@pytest.fixture
def app() -> Flask:
    app = Flask("forms")
    app.config.update(SECRET_KEY="forms", WTF_CSRF_ENABLED=False)
    app.extensions["services"] = SimpleNamespace(settings=Settings(timezone="Europe/London"))
    return app


@pytest.fixture
def sent(app: Flask) -> Any:
    """A form as it arrives, with some values of GOOD changed, or taken out with None."""
    contexts = []

    def send(changes: dict[str, str | None] | None = None, cls: Any = TryEverything) -> Any:
        data = {key: text for key, text in (GOOD | (changes or {})).items() if text is not None}
        context = app.test_request_context(method="POST", data=MultiDict(data))
        context.push()
        contexts.append(context)
        return form_for(cls)()

    yield send
    for context in reversed(contexts):
        context.pop()


@pytest.fixture
def blank(app: Flask) -> Iterator[Any]:
    with app.test_request_context():
        yield form_for(TryEverything)()


def errors_of(form: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as raised:
        command_from(form, TryEverything)
    return raised.value.problems


# What a form looks like


def test_a_form_has_the_commands_fields_in_their_order(blank: Any) -> None:
    assert [each.short_name for each in blank] == [
        "command_id", "expected_version", "order_id", "count", "price", "reason", "due",
        "seen_at", "ship_to", "lines", "note", "email", "urgent", "size", "bill_to", "tags",
        "limit",
    ]  # fmt: skip


def test_each_kind_of_value_has_its_kind_of_field(blank: Any) -> None:
    assert {each.short_name: each.type for each in blank} == {
        "command_id": "HiddenField",
        "expected_version": "HiddenIntegerField",
        "order_id": "StringField",
        "count": "IntegerField",
        "price": "DecimalField",
        "reason": "SelectField",
        "due": "DateField",
        "seen_at": "DateTimeLocalField",
        "ship_to": "FormField",
        "lines": "FieldList",
        "note": "TextAreaField",
        "email": "StringField",
        "urgent": "BooleanField",
        "size": "SelectField",
        "bill_to": "FormField",
        "tags": "TextAreaField",
        "limit": "DecimalField",
    }


def test_titles_and_descriptions_become_labels_and_help(blank: Any) -> None:
    assert (blank.count.label.text, blank.count.description) == ("Count", "How many there are.")
    assert blank.seen_at.label.text == "Seen at"
    assert blank.seen_at.description == "Time zone: Europe/London."
    assert blank.lines[0].form.sku.label.text == "Article"


def test_what_is_needed_is_marked_and_the_rest_is_not(blank: Any) -> None:
    assert blank.count.flags.required
    assert blank.reason.flags.required
    assert blank.lines[0].form.sku.flags.required
    assert blank.lines.flags.required
    assert blank.ship_to.flags.required
    for name in ("note", "email", "urgent", "size", "bill_to", "tags", "limit"):
        assert not blank[name].flags.required, name


def test_choices_show_their_labels(blank: Any) -> None:
    assert [(value, label) for value, label, *_ in blank.reason.iter_choices()] == [
        ("", "Choose one"),
        ("payment", "The payment is unclear"),
        ("address", "The address is unclear"),
    ]
    choices = [(value, label) for value, label, *_ in blank.size.iter_choices()]
    assert choices == [("", "None"), ("xl", "Extra large")]


def test_hints_reach_the_input_and_nothing_cuts_off_what_is_pasted(blank: Any) -> None:
    assert 'autocomplete="email"' in blank.email()
    assert "maxlength" not in str(blank.order_id()) + str(blank.note())


def test_every_form_has_a_new_command_id(app: Flask) -> None:
    with app.test_request_context():
        ids = {form_for(TryEverything)().command_id.data for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in ids)


def test_a_list_that_needs_rows_starts_with_one(blank: Any) -> None:
    assert len(blank.lines.entries) == 1


def test_hidden_fields_are_asked_for_by_the_page(app: Flask) -> None:
    with app.test_request_context():
        form = form_for(TryEverything, hidden=("order_id",))(order_id="A-17")
        assert (
            str(form.order_id()).replace(" required", "")
        ) == '<input id="order_id" name="order_id" type="hidden" value="A-17">'


def test_the_class_of_a_form_is_made_once() -> None:
    assert form_for(TryEverything) is form_for(TryEverything)
    assert form_for(TryEverything) is not form_for(TryEverything, hidden=("order_id",))


def test_a_field_that_fits_no_form_is_told_to_the_developer() -> None:
    @command(label="Odd", permission="x")
    class Odd(Command):
        table: dict[str, int] = field(default_factory=dict)

    @command(label="Clash", permission="x")
    class Clash(Command):
        data: str

    with pytest.raises(TypeError, match=r"Odd\.table"):
        form_for(Odd)
    with pytest.raises(TypeError, match="Clash"):
        form_for(Clash)


def test_every_command_of_the_console_has_a_form(shared_console: Flask) -> None:
    commands = services_of(shared_console).kernel.registry.commands
    with shared_console.test_request_context():
        # Some choices depend on who is signed in, or on what there is.
        g.operator = SimpleNamespace(
            name="mia", actor=Actor("mia", frozenset()), timezone="", may=lambda permission: True
        )
        for cls in commands.values():
            form = form_for(cls)()
            assert all(str(each()) for each in form), cls


# From a form to a command


def test_a_form_becomes_the_command_it_means(sent: Any) -> None:
    form = sent()
    assert command_from(form, TryEverything) == TryEverything(
        order_id="A-17",
        count=2,
        price=Decimal("12.50"),
        reason=Reason.PAYMENT,
        due=date(2026, 3, 31),
        seen_at=datetime(2026, 7, 1, 13, 5, tzinfo=UTC),
        ship_to=Address(street="1 High Street", country="DK"),
        lines=(
            Line(sku="85123A", quantity=6, price=Decimal("2.55"), gift=True),
            Line(sku="85123A", quantity=1, price=Decimal(0)),
        ),
        note="first\nsecond",
    )
    assert form.command_id.data == GOOD["command_id"]
    assert expected_version(form) == 4


def test_optional_values_are_taken_when_given(sent: Any) -> None:
    optional: dict[str, str | None] = {
        "email": "a@b.example",
        "urgent": "y",
        "size": "xl",
        "bill_to-street": "2 Low Road",
        "bill_to-country": "",
        "tags": "red\r\n\r\n  blue ",
        "limit": "9.99",
        "expected_version": "",
    }
    form = sent(optional)
    made = command_from(form, TryEverything)
    assert (made.email, made.urgent, made.size) == ("a@b.example", True, Size.EXTRA_LARGE)
    assert made.bill_to == Address(street="2 Low Road", country="GB")
    assert (made.tags, made.limit) == (("red", "blue"), Decimal("9.99"))
    assert expected_version(form) is None


def test_rows_may_have_gaps_in_their_numbers(sent: Any) -> None:
    moved = {key.replace("lines-1", "lines-7"): text for key, text in GOOD.items()}
    form = sent(moved | {key: None for key in GOOD if key.startswith("lines-1")})
    assert [line.quantity for line in command_from(form, TryEverything).lines] == [6, 1]


@pytest.mark.parametrize(
    ("place", "typed", "sentence"),
    [
        ("order_id", "", "Required."),
        ("order_id", "   ", "Required."),
        ("order_id", "A" * 13, "Enter at most 12 characters."),
        ("count", "", "Required."),
        ("count", "two", "Enter a whole number."),
        ("count", "1_0", "Enter a whole number."),
        ("count", "٣", "Enter a whole number."),
        ("count", "9" * 5_000, "Enter a whole number with fewer digits."),
        ("count", "0", "Must be 1 or more."),
        ("price", "", "Required."),
        ("price", "1,50", "Enter a number, e.g. 12.50."),
        ("price", "NaN", "Enter a number, e.g. 12.50."),
        ("price", "1e9", "Enter a number, e.g. 12.50."),
        ("price", "9" * 5_000, "Enter a number with fewer digits."),
        ("price", "1." + "0" * 5_000, "Enter a number with fewer digits."),
        ("price", "-1", "Must be 0 or more."),
        ("price", "1.23456", "At most 4 digits after the point."),
        ("limit", "10.01", "Must be 10 or less."),
        ("reason", "", "Required."),
        ("reason", "greed", "Choose one from the list."),
        ("size", "huge", "Choose one from the list."),
        ("due", "31.03.2026", "Enter a date, e.g. 2026-03-31."),
        ("due", "2026-02-30", "Enter a date, e.g. 2026-03-31."),
        ("seen_at", "yesterday", "Enter a date and time, e.g. 2026-03-31 14:05."),
        ("seen_at", "2026-03-29T01:30", "There is no such time on that day"),
        ("note", "n" * 31, "Enter at most 30 characters."),
        ("email", "a", "Enter at least 3 characters."),
        ("tags", "a\nb\nc", "At most 2 are allowed."),
        ("ship_to-street", "", "Required."),
        ("ship_to-country", "dk", "Contains characters that are not allowed."),
        ("lines-1-quantity", "0", "Must be 1 or more."),
        ("lines-1-quantity", "x", "Enter a whole number."),
        ("lines-1-price", "-0.01", "Must be 0 or more."),
        ("lines-1-price", "0.00001", "At most 4 digits after the point."),
        ("lines-0-sku", "", "Required."),
        ("lines-0-sku", "123456789", "Enter at most 8 characters."),
        ("bill_to-country", "xx", "Contains characters that are not allowed."),
    ],
)
def test_what_cannot_be_used_says_why_beside_its_field_and_stays_as_typed(
    sent: Any, place: str, typed: str, sentence: str
) -> None:
    form = sent({place: typed})
    problems = errors_of(form)
    dotted = place.replace("-", ".")
    assert problems[dotted].startswith(sentence)
    assert set(problems) <= {dotted, "bill_to.street"}
    page = "".join(str(each()) for each in form)
    if typed.strip() and place not in ("reason", "size"):
        assert typed.replace("\n", "\r\n") in page or typed in page


def test_all_that_is_wrong_is_told_at_once(sent: Any) -> None:
    problems = errors_of(
        sent({"count": "x", "price": "-1", "due": "", "lines-0-sku": "", "lines-1-price": "y"})
    )
    assert set(problems) == {"count", "price", "due", "lines.0.sku", "lines.1.price"}


def test_an_empty_form_asks_for_all_that_is_needed_once(sent: Any) -> None:
    form = sent({key: None for key in GOOD if key != "command_id"})
    problems = errors_of(form)
    assert set(problems) == {
        "order_id", "count", "price", "reason", "due", "seen_at", "ship_to.street",
        "lines.0.sku", "lines.0.quantity", "lines.0.price",
    }  # fmt: skip
    assert set(problems.values()) == {"Required."}
    assert form.count.errors == ["Required."]


def test_too_many_rows_are_told_and_not_dropped(sent: Any) -> None:
    rows = {f"lines-{n}-{name}": "1" for n in range(4) for name in ("sku", "quantity", "price")}
    form = sent(rows)
    assert errors_of(form) == {"lines": "At most 3 are allowed."}
    assert len(form.lines.entries) == 4


def test_a_million_rows_do_not_become_a_million_fields(sent: Any) -> None:
    form = sent({f"lines-{n}-sku": "1" for n in range(5_000)} | {"lines-²-sku": "1"})
    assert len(form.lines.entries) == 4


def test_rules_over_several_fields_are_told_beside_their_fields(sent: Any) -> None:
    form = sent({"count": "13"})
    errors_of(form)
    assert form.count.errors == ["Thirteen brings bad luck."]
    assert form.lines[0].form.sku.errors == ["This article too."]
    assert form.lines.errors == ["There are bad articles."]
    assert form.ship_to.form.street.errors == ["Here lives nobody."]
    assert form.form_errors == ["All in all it is odd."]
    assert form.lines[1].form.sku.data == "85123A"


@pytest.mark.parametrize("forged", ["", "x", "a b c d e f g", "x" * 65, "<script>alert(1)"])
def test_a_command_id_that_is_none_is_refused_where_it_can_be_seen(sent: Any, forged: str) -> None:
    form = sent({"command_id": forged})
    assert "command_id" in errors_of(form)
    assert form.form_errors == [
        "This form cannot be used any more, so nothing was changed. Open the page again."
    ]


def test_an_error_in_a_hidden_field_is_told_with_the_form(app: Flask) -> None:
    data = MultiDict(GOOD | {"order_id": "A" * 13})
    with app.test_request_context(method="POST", data=data):
        form = form_for(TryEverything, hidden=("order_id",))()
        assert set(errors_of(form)) == {"order_id"}
        assert form.form_errors == ["Enter at most 12 characters."]


def test_fields_the_command_does_not_have_change_nothing(sent: Any) -> None:
    plain = command_from(sent(), TryEverything)
    assert command_from(sent({"actor": "root", "permissions": "all"}), TryEverything) == plain


# Rows, prefilling, sending again


def test_a_row_is_added_and_nothing_typed_is_lost(sent: Any) -> None:
    form = sent({"lines-add": "1", "count": "not yet"})
    assert change_rows(form)
    assert [entry.form.sku.data for entry in form.lines] == ["85123A", "85123A", None]
    assert form.errors == {}
    page = "".join(str(each()) for each in form)
    assert 'value="not yet"' in page
    assert 'name="lines-2-sku"' in page
    assert form.command_id.data == GOOD["command_id"]


def test_the_row_meant_is_removed_and_the_others_move_up(sent: Any) -> None:
    form = sent({"lines-remove-0": "1"})
    assert change_rows(form)
    assert [(entry.name, entry.form.quantity.data) for entry in form.lines] == [("lines-0", 1)]
    assert 'name="lines-0-quantity"' in form.lines[0].form.quantity()


def test_the_last_needed_row_is_emptied_instead(sent: Any) -> None:
    form = sent({key: None for key in GOOD if key.startswith("lines-1")} | {"lines-remove-0": ""})
    assert change_rows(form)
    assert [entry.form.sku.data for entry in form.lines] == [None]


def test_no_more_rows_are_added_than_can_be_told_of(sent: Any) -> None:
    rows = {f"lines-{n}-sku": "1" for n in range(9)}
    form = sent(rows | {"lines-add": "1"})
    assert change_rows(form)
    assert len(form.lines.entries) == 4


@pytest.mark.parametrize("rows", [500, 501, 2_000])
def test_a_form_takes_fewer_rows_than_other_doors_and_says_so(app: Flask, rows: int) -> None:
    line = {"sku": "85123A", "quantity": "1", "unit_price": "2"}
    data = {"order_id": "A1", "country": "France", "currency": "EUR", "command_id": "a-new-one"}
    data |= {f"lines-{n}-{name}": text for n in range(rows) for name, text in line.items()}
    with app.test_request_context(method="POST", data=data):
        form = form_for(PlaceOrder)()
        if rows == 500:
            assert len(command_from(form, PlaceOrder).lines) == 500
            return
        with pytest.raises(Invalid) as refused:
            command_from(form, PlaceOrder)
        assert refused.value.problems == {
            "lines": "A form takes at most 500 rows. Send more of them by the API."
        }
        assert len(form.lines.entries) == 501


@pytest.mark.parametrize("pressed", [{}, {"lines-remove-9": "1"}, {"lines-remove-x": "1"}])
def test_another_button_changes_no_row(sent: Any, pressed: dict[str, str]) -> None:
    form = sent(pressed)
    assert not change_rows(form)
    assert len(form.lines.entries) == 2


def test_a_prefilled_form_sends_the_same_command_back(app: Flask, sent: Any) -> None:
    wanted = command_from(sent({"limit": "1.5000", "size": "xl"}), TryEverything)
    with app.test_request_context():
        form = form_for(TryEverything)()
        values = {name: getattr(wanted, name) for name in TryEverything.__dataclass_fields__}
        prefill(form, values | {"expected_version": 9})
        page = "".join(str(each()) for each in form)
        assert form.expected_version.data == 9
        assert form.command_id.data
    texts = {}
    for tag in re.findall(r"<input[^>]*>", page):
        named = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if named.get("type") != "checkbox" or " checked" in tag:
            texts[named["name"]] = named.get("value", "")
    texts |= dict(re.findall(r'<select[^>]*name="(\w+)".*?<option selected value="(\w*)"', page))
    texts |= dict(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\r?\n?([^<]*)<', page))
    with app.test_request_context(method="POST", data=texts):
        assert command_from(form_for(TryEverything)(), TryEverything) == wanted


@pytest.mark.parametrize("text", ["1E-300000000", "1E+300000000", "NaN", "Infinity"])
def test_an_address_fills_in_no_number_out_of_its_limits(app: Flask, text: str) -> None:
    assert usable(TryEverything, {"limit": text}) == {}
    assert usable(TryEverything, {"limit": "1E+1"}) == {"limit": Decimal("10")}


def test_a_refused_form_is_sent_again_under_a_new_id(sent: Any) -> None:
    form = sent()
    renew(form, expected_version=7)
    assert form.command_id.data != GOOD["command_id"]
    assert f'value="{form.command_id.data}"' in form.command_id()
    assert 'value="7"' in form.expected_version()
    assert 'value="A-17"' in form.order_id()


# The console's own commands


def test_an_order_is_placed_from_its_form(app: Flask) -> None:
    data = {
        "order_id": "W-1",
        "country": "United Kingdom",
        "currency": "GBP",
        "shipping_address-city": "Leeds",
        "lines-0-sku": "85123A",
        "lines-0-description": "White hanging heart",
        "lines-0-quantity": "6",
        "lines-0-unit_price": "2.5500",
    }
    with app.test_request_context(method="POST", data=data):
        made = command_from(form_for(PlaceOrder)(), PlaceOrder)
    line = OrderLine(
        sku="85123A",
        description="White hanging heart",
        quantity=6,
        unit_price=Decimal("2.55"),
    )
    assert made == PlaceOrder(
        order_id="W-1",
        country="United Kingdom",
        currency="GBP",
        shipping_address=ShippingAddress(city="Leeds"),
        lines=(line,),
    )


def test_a_part_that_is_needed_but_empty_is_judged_by_the_command(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"order_id": "W-1"}):
        form = form_for(ChangeShippingAddress)()
        with pytest.raises(Invalid):
            command_from(form, ChangeShippingAddress)
        assert form.address.form.form_errors == ["Street, city and country are needed."]
