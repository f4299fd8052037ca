"""The timeline of an order's page, and the order as it was at one of its entries."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelReturn,
    ChangeShippingAddress,
    HoldOrder,
    RequestReturn,
)
from cqrs_app.areas.orders.types import ReturnedLine, ShippingAddress
from cqrs_app.areas.orders.words import HoldReason, ReturnReason
from cqrs_app.areas.payments.commands import RecordPayment
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.areas.orders.timeline import AT_FIRST, MORE
from cqrs_app.kernel import Command
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, order_in
from tests.interfaces.web.pages.test_without_scripts import linked_pages, page
from tests.services.browser import Violations
from tests.services.stores import on_one_database

ADA = Actor("ada", ROLES["admin"])
YORK = ShippingAddress(name="Anna", line1="2 Low Street", city="York", country="United Kingdom")


def run(app: Flask, *commands: Command) -> None:
    kernel: Kernel = services_of(app).kernel
    for command in commands:
        kernel.commands.execute(command, Context(actor=ADA, channel="test"))
    catch_up(app)


@pytest.fixture
def order_id(shop: Flask) -> str:
    """An order that was placed, moved to York, approved, paid and put on hold, with a note."""
    found = order_in(shop, "placed")
    run(
        shop,
        ChangeShippingAddress(order_id=found, address=YORK),
        ApproveOrder(order_id=found),
        RecordPayment(
            payment_id="P1",
            order_id=found,
            amount=Decimal("1.50"),
            currency=currency_of(shop, found),
            method="bank transfer",
            reference="B1",
        ),
        HoldOrder(order_id=found, reason=HoldReason.STOCK_CHECK),
        AddOrderNote(order_id=found, note="Rang them."),
    )
    return found


def currency_of(app: Flask, order_id: str) -> str:
    kernel: Kernel = services_of(app).kernel
    (placed,) = kernel.registry.codec.decode_all(kernel.store.first_of([f"order-{order_id}"]))
    currency: str = placed.event.currency  # type: ignore[attr-defined]
    return currency


def entries(soup: BeautifulSoup) -> list[str]:
    return [each.get_text() for each in soup.select("#timeline ol.timeline > li h3")]


def entry(soup: BeautifulSoup, label: str) -> Tag:
    return next(
        li
        for li in soup.select("#timeline ol.timeline > li")
        if (title := li.select_one("h3")) and title.get_text() == label
    )


def link_to_past(found: Tag) -> str:
    return next(str(a["href"]) for a in found.find_all("a") if "View at" in a.get_text())


def words(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def test_all_areas_are_in_one_list_newest_first_with_old_and_new_values(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    soup = page(client_of("viewer"), f"/orders/{order_id}")
    found = [each for each in entries(soup) if each not in ("Late", "Needs a decision")]
    assert found[:2] == ["Note", "Put on hold"]
    assert {"Payment recorded", "Approved", "Shipping address changed"} <= set(found)
    assert found[-1] == "Order placed"
    assert "Status Approved → changed to On hold" in words(entry(soup, "Put on hold"))
    assert "→ changed to Anna, 2 Low Street, York" in words(entry(soup, "Shipping address changed"))
    assert "1.50" in words(entry(soup, "Payment recorded"))
    assert entry(soup, "Approved").select_one("time")


def test_one_kind_is_chosen_by_a_link(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("viewer")
    link = page(client, f"/orders/{order_id}").find(id="timeline-payment")
    assert isinstance(link, Tag)
    soup = page(client, str(link["href"]))
    assert entries(soup) == ["Payment recorded"]
    chosen = soup.select_one("#timeline [aria-current]")
    assert chosen
    assert chosen.get_text() == "Payment"
    # The notes beside it are all of them, and nothing seems to be on its way.
    assert "Rang them." in soup.get_text()
    assert "pending" not in soup.get_text()


def test_the_rest_of_a_long_timeline_is_shown_when_asked(
    shop: Flask, order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    run(shop, *(AddOrderNote(order_id=order_id, note=f"Note {n}") for n in range(60)))
    client = client_of("viewer")
    soup = page(client, f"/orders/{order_id}")
    assert len(entries(soup)) == AT_FIRST
    link = soup.find(id="timeline-earlier")
    assert isinstance(link, Tag)
    more = page(client, str(link["href"]))
    assert len(entries(more)) == AT_FIRST + MORE
    last = more.find(id="timeline-earlier")
    assert isinstance(last, Tag)
    rest = page(client, str(last["href"]))
    assert entries(rest)[-1] == "Order placed"
    assert rest.find(id="timeline-earlier") is None


def test_an_address_that_makes_no_sense_is_one_sentence(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    for query in ("kind=ghost", "newest=none", "newest=0"):
        answer = client_of("viewer").get(f"/orders/{order_id}?{query}")
        assert answer.status_code in (400, 422), query
    for query in (
        "position=x",
        "at=yesterday",
        "position=1&at=2026-01-01T00:00Z",
        "at=0001-01-01T00:00%2B12:00",
    ):
        answer = client_of("viewer").get(f"/orders/{order_id}/at?{query}")
        assert answer.status_code in (400, 422), query
    blank = client_of("viewer").get(f"/orders/{order_id}/at?at=%20&position=")
    assert blank.status_code == 200


def test_whoever_may_see_an_order_sees_its_past_with_what_changed_since(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("viewer")
    link = link_to_past(entry(page(client, f"/orders/{order_id}"), "Approved"))
    soup = page(client, link)
    text = words(soup)
    assert "View at this point: version 3" in text
    assert "Approved by ada" in text
    assert "→ now On hold" in text
    assert "1 note added since" in text
    assert "1 payment added since" in text
    assert soup.select(f"a[href='/orders/{order_id}']")
    assert not soup.select("form#command, a[href^='/commands/']")
    assert "Full record" not in text


def test_a_return_is_shown_as_it_was(shop: Flask, client_of: Callable[[str], FlaskClient]) -> None:
    client, order_id = client_of("viewer"), order_in(shop, "delivered")
    lines = (ReturnedLine(line_no=1, quantity=1),)
    run(shop, RequestReturn(order_id=order_id, lines=lines, reason=ReturnReason.DAMAGED))
    found = page(client, f"/orders/{order_id}")
    requested = link_to_past(entry(found, "Return requested"))
    run(shop, CancelReturn(order_id=order_id, return_id="R1"))
    panel = page(client, requested).select_one("[aria-labelledby=returns-heading]")
    assert panel
    assert "→ now Cancelled" in words(panel)


def test_versions_are_followed_back_and_forward(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("viewer")
    back = list(linked_pages(client, f"/orders/{order_id}/at/5", "prev"))
    assert [words(each.select_one("#point-heading") or each).split(",")[0] for each in back] == [
        f"View at this point: version {number} of 5" for number in (5, 4, 3, 2, 1)
    ]
    assert len(list(linked_pages(client, f"/orders/{order_id}/at/1", "next"))) == 5


def test_an_entry_of_another_area_leads_to_the_order_at_that_moment(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("supervisor")
    paid = entry(page(client, f"/orders/{order_id}"), "Payment recorded")
    soup = page(client, link_to_past(paid))
    assert "Payment recorded by ada" in words(soup)
    assert soup.find("a", href="/payments/P1")
    assert "Full record at this version" in words(soup)
    assert soup.find("a", rel="prev", href=f"/orders/{order_id}/at/3")


def test_what_is_not_there_is_404(client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("viewer")
    assert client.get("/orders/none/at/1").status_code == 404
    assert client.get("/orders/no such/at/1").status_code == 404
    assert client.get("/orders/none/at").status_code == 404


def test_an_order_before_it_was_placed_says_so(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    text = words(page(client_of("viewer"), f"/orders/{order_id}/at?at=2000-01-01T00:00:00Z"))
    assert "had not been placed yet" in text


def test_another_time_is_chosen_in_the_zone_of_whoever_looks(
    order_id: str, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("viewer")
    form = page(client, f"/orders/{order_id}/at/1").select_one("form[action$='/at']")
    assert form
    assert form.find("input", attrs={"name": "at", "type": "datetime-local"})
    shown = words(page(client, f"{form['action']}?at=2099-01-01T00:00"))
    assert "View at this point: version 5 of 5" in shown


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_timeline_and_the_past_fit_and_are_accessible(
    order_id: str,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    width: int,
    scheme: str,
) -> None:
    screen = signed_in("supervisor", viewport={"width": width, "height": 900}, color_scheme=scheme)
    for address in (f"/orders/{order_id}", f"/orders/{order_id}/at/2"):
        screen.goto(address)
        assert not list(accessibility_violations(screen))
        assert screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@on_one_database
def test_the_chosen_kind_is_kept_by_polls(
    order_id: str, signed_in: Callable[..., Page], shop: Flask
) -> None:
    screen = signed_in("operator")
    screen.goto(f"/orders/{order_id}")
    screen.locator("#timeline-note").click()
    titles = screen.locator("#timeline ol.timeline > li h3")
    expect(titles).to_have_text(["Note"])
    expect(screen).to_have_url(re.compile("kind=note"))
    run(shop, AddOrderNote(order_id=order_id, note="Rang again."))
    expect(titles).to_have_text(["Note", "Note"])
