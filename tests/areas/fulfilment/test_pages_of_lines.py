"""Changing the lines of an order and taking returns, in a browser without scripts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient

from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    DeliverOrder,
    ReceiveReturn,
    RequestReturn,
)
from cqrs_app.areas.orders.types import ReceivedLine, ReturnedLine
from cqrs_app.areas.orders.words import ReturnReason
from cqrs_app.areas.payments.commands import RecordPayment
from cqrs_app.areas.payments.gateway_commands import RecordDispute, ResolveDispute
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, OrderDesk
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import page, send


def words(soup: Tag) -> str:
    return " ".join(soup.get_text(" ").split())


def values_in(form: BeautifulSoup) -> dict[str, str]:
    inputs = form.find_all("input", attrs={"name": True})
    return {str(each["name"]): str(each.get("value", "")) for each in inputs}


def link_of(client: FlaskClient, text: str, address: str = f"/orders/{THE}") -> str:
    [link] = [each for each in page(client, address).find_all("a") if text in words(each)]
    return str(link["href"])


def post(client: FlaskClient, address: str, **values: Any) -> None:
    answer = send(client, address, **values)
    assert answer.status_code == 303, answer.get_data(as_text=True)


def settle(desk: OrderDesk) -> None:
    desk.settle_all()
    desk.catch_up()


def paid(desk: OrderDesk) -> None:
    """Four lamps and two cards at 2.50."""
    desk.stock(LAMP, 10)
    desk.stock(CARD, 5)
    desk.approve((LAMP, 4), (CARD, 2))
    settle(desk)


def test_the_form_of_the_lines_begins_with_the_lines_there_are(order_desk: OrderDesk) -> None:
    paid(order_desk)
    client = client_in(order_desk.app, "supervisor")
    form = page(client, link_of(client, "Change lines"))
    assert LAMP in words(form)
    rows = {
        name: form.find(attrs={"name": name}) for name in ("lines-1-quantity", "lines-2-quantity")
    }
    assert [each["value"] for each in rows.values() if each] == ["4", "2"]
    assert "like that already" not in words(form)


def test_lines_are_changed_and_the_page_shows_it(order_desk: OrderDesk) -> None:
    paid(order_desk)
    client = client_in(order_desk.app, "supervisor")
    address = link_of(client, "Change lines")
    post(client, address, **{"lines-1-quantity": "6", "lines-2-quantity": "0"})
    settle(order_desk)
    shown = words(page(client, f"/orders/{THE}"))
    assert "removed" in shown
    assert "GBP 15.00" in shown
    assert order_desk.item().reserved == {THE: 6}
    assert "line 1: 4 → 6; line 2 removed" in shown


def test_shipping_and_tax_are_changed_in_the_form_that_shows_them(order_desk: OrderDesk) -> None:
    paid(order_desk)
    client = client_in(order_desk.app, "supervisor")
    address = link_of(client, "Change lines")
    add = {"adjustments-0-kind": "shipping", "adjustments-0-amount": "4.50"}
    post(client, address, **add)
    settle(order_desk)
    shown = words(page(client, f"/orders/{THE}"))
    assert "Shipping" in shown and "GBP 19.50" in shown
    assert "Discounts and charges changed" in shown
    # The payment follows.
    assert "GBP 4.50" in words(page(client, f"/payments?order_id={THE}"))
    form = page(client, link_of(client, "Change lines"))
    amount = form.find(attrs={"name": "adjustments-0-amount"})
    assert amount is not None
    assert amount["value"] == "4.50"
    # What is removed in the form is removed from the order.
    token = {name: text for name, text in values_in(form).items() if "adjustments" not in name}
    gone = client.post(link_of(client, "Change lines"), data=token)
    assert gone.status_code == 303, gone.get_data(as_text=True)
    settle(order_desk)
    assert "Shipping 4.50" not in words(page(client, f"/orders/{THE}"))
    assert "GBP 15.00" in words(page(client, f"/orders/{THE}"))


def test_what_would_follow_from_a_change_is_said_before_it(order_desk: OrderDesk) -> None:
    paid(order_desk)
    client = client_in(order_desk.app, "supervisor")
    address = link_of(client, "Change lines")
    effects = address.replace("/ChangeOrderLines?", "/ChangeOrderLines/effects?")
    form = page(client, address)
    token = form.find(attrs={"name": "csrf_token"})
    assert token is not None
    answer = client.post(
        effects,
        data={
            "csrf_token": token["value"],
            "order_id": THE,
            "lines-1-line_no": "1",
            "lines-1-quantity": "1",
            "lines-1-unit_price": "2.50",
        },
    )
    said = words(BeautifulSoup(answer.get_data(), "html.parser"))
    assert "GBP 7.50 will be refunded to payment 1001-1." in said
    assert f"3 units of {LAMP} will return to stock." in said


def test_what_came_back_is_received_refunded_and_exchanged(order_desk: OrderDesk) -> None:
    paid(order_desk)
    order_desk.ship()
    order_desk.do(DeliverOrder(order_id=THE))
    settle(order_desk)
    client = client_in(order_desk.app, "supervisor")
    address = link_of(client, "Request return")
    too_many = send(client, address, **{"lines-1-quantity": "5", "reason": "damaged"})
    assert "Only 4 returnable." in too_many.get_data(as_text=True)
    post(client, address, **{"lines-1-quantity": "3", "reason": "damaged"})
    order_desk.catch_up()
    receive = link_of(client, "Receive return R1")
    assert values_in(page(client, receive))["lines-1-restocked"] == "3"
    post(client, receive, **{"lines-1-restocked": "2", "lines-1-written_off": "1"})
    settle(order_desk)
    assert order_desk.item().on_hand == 8
    shown = page(client, f"/orders/{THE}")
    assert "3 returned" in words(shown)
    assert "For returned items, GBP 7.50 can be refunded." in words(shown)
    post(client, link_of(client, "Refund GBP 7.50"))
    settle(order_desk)
    assert order_desk.paid().refunded == order_desk.paid().captured / 2
    assert "can be refunded" not in words(page(client, f"/orders/{THE}"))
    exchange = page(client, link_of(client, "Place exchange order"))
    named = {
        each["name"]: each.get("value") for each in exchange.find_all("input") if each.get("name")
    }
    assert (named["lines-0-sku"], named["lines-0-quantity"]) == (LAMP, "3")
    number = named["order_id"]
    assert number != THE
    assert named["exchange_for"] == THE
    post(client, link_of(client, "Place exchange order"), order_id=number)
    order_desk.catch_up()
    assert link_of(client, f"Order {number}") == f"/orders/{number}"
    assert link_of(client, f"Order {THE}", f"/orders/{number}") == f"/orders/{THE}"
    entry = page(client, f"/orders/{THE}").find("h3", string="Exchange order placed")
    assert entry is not None


def test_what_came_back_is_refunded_to_one_payment_after_the_other(order_desk: OrderDesk) -> None:
    """Of the 9.00 that were charged, 1.00 is lost to a dispute; 6.00 came by bank."""
    bank = {"amount": Decimal(6), "method": "bank transfer", "reference": "17"}
    order_desk.stock(LAMP, 10)
    order_desk.stock(CARD, 5)
    order_desk.place((LAMP, 4), (CARD, 2))
    order_desk.do(RecordPayment(payment_id="bank-1", order_id=THE, currency="GBP", **bank))
    order_desk.do(ApproveOrder(order_id=THE))
    settle(order_desk)
    charge = {"payment_id": f"{THE}-1", "reference": "d"}
    order_desk.do(RecordDispute(**charge, amount=Decimal(1), sentence="Why?"))
    order_desk.do(ResolveDispute(**charge, outcome="lost"))
    order_desk.ship()
    half = (ReceivedLine(line_no=1, restocked=1, written_off=1),)
    for number, quantity, received in (("R1", 3, half), ("R2", 2, ())):
        back = (ReturnedLine(line_no=1, quantity=quantity),)
        order_desk.do(RequestReturn(order_id=THE, lines=back, reason=ReturnReason.UNWANTED))
        order_desk.do(ReceiveReturn(order_id=THE, return_id=number, lines=received))
    settle(order_desk)
    client = client_in(order_desk.app, "supervisor")
    shown = page(client, f"/orders/{THE}")
    assert "For returned items, GBP 9.00 can be refunded." in words(shown)
    assert [words(each) for each in shown.select("#returns li .quiet")] == [
        "1 unit restocked, 1 unit written off",
        "2 units restocked",
    ]
    links = [words(each) for each in shown.select("#returns a")]
    assert [each for each in links if each.startswith("Refund")] == [
        f"Refund GBP 8.00 to {THE}-1",
        "Refund GBP 1.00 to bank-1",
    ]


def test_a_return_that_never_came_is_cancelled(order_desk: OrderDesk) -> None:
    paid(order_desk)
    order_desk.ship()
    settle(order_desk)
    client = client_in(order_desk.app, "operator")
    post(client, link_of(client, "Request return"), **{"lines-2-quantity": "1", "reason": "other"})
    order_desk.catch_up()
    post(client, link_of(client, "Cancel return R1"), note="Kept it.")
    order_desk.catch_up()
    panel = page(client, f"/orders/{THE}").find(id="returns")
    assert panel is not None
    assert "Cancelled" in words(panel)
