"""Time travel on the pages: an order as it was, and what changed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.orders.commands import ChangeShippingAddress
from cqrs_app.areas.orders.types import ShippingAddress
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.areas.payments.test_pages import shown
from tests.interfaces.web.pages.conftest import order_in
from tests.interfaces.web.pages.test_without_scripts import linked_pages

ADA = Actor("ada", ROLES["admin"])


def test_an_order_is_followed_back_event_by_event(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    order_id, sue = order_in(shop, "delivered"), client_of("supervisor")
    address = f"/past?stream=order-{order_id}"
    assert f'href="{address}&amp;version=1"' in sue.get(f"/orders/{order_id}/at/1").text
    pages = list(linked_pages(sue, address, "prev"))
    headings = [found.find(id="then-title") for found in pages]
    seen = [heading.get_text() for heading in headings if heading]
    assert seen[0] == "Order delivered"
    assert seen[-2:] == ["Order placed", "Before the first event"]
    assert "Nothing had happened yet" in pages[-1].get_text(" ")


def test_any_two_versions_or_moments_are_compared(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    order_id, sue = order_in(shop, "delivered"), client_of("supervisor")
    text = shown(sue, f"/past?stream=order-{order_id}&since_version=1")
    assert "What changed since version 1" in text
    assert "Status placed delivered" in text
    before = shown(sue, f"/past?stream=order-{order_id}&at=2000-01-01T00:00")
    assert "Before the first event" in before
    assert "this is the same version" in before


def test_a_moment_that_makes_no_sense_is_marked_where_it_stands(
    client_of: Callable[[str], FlaskClient],
) -> None:
    answer = client_of("supervisor").get("/past?stream=order-1&version=1&at=2026-01-01T10:00")
    assert answer.status_code == 422
    assert 'id="at-error"' in answer.text


def test_the_past_is_not_for_operators(client_of: Callable[[str], FlaskClient]) -> None:
    ben = client_of("operator")
    assert ben.get("/past").status_code == 403
    assert "/past" not in ben.get("/orders").text


def test_a_changed_address_is_shown_although_no_rule_uses_it(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    order_id, sue = order_in(shop, "placed"), client_of("supervisor")
    address = ShippingAddress(line1="12 Dorset Street", city="London", country="United Kingdom")
    command = ChangeShippingAddress(order_id=order_id, address=address)
    kernel: Kernel = services_of(shop).kernel
    kernel.commands.execute(command, Context(actor=ADA, channel="test"))
    text = shown(sue, f"/past?stream=order-{order_id}")
    assert "the same" not in text
    assert "What happened in between" in text
    assert "12 Dorset Street" in text
