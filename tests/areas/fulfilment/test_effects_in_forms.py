"""What will happen is in the form: without scripts, and again while its fields change."""

from __future__ import annotations

from collections.abc import Callable

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.fulfilment.commands import CancelFulfilment
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, OrderDesk
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import fields, page


def paid(desk: OrderDesk) -> FlaskClient:
    desk.stock(LAMP, 10)
    desk.stock(CARD, 10)
    desk.approve((LAMP, 4), (CARD, 1))
    desk.settle_all()
    desk.catch_up()
    return client_in(desk.app, "supervisor")


def effects(soup: BeautifulSoup) -> list[str]:
    return [" ".join(item.get_text().split()) for item in soup.select("#effects li")]


CANCELLED = [
    "GBP 12.50 will be refunded to payment 1001-1.",
    "4 units of 85123A will return to stock.",
    "1 unit of CARD 1 will return to stock.",
]


def test_a_cancellation_says_what_will_happen_and_to_which_order(order_desk: OrderDesk) -> None:
    supervisor = paid(order_desk)
    form = page(supervisor, f"/commands/CancelOrder?order_id={THE}")
    assert effects(form) == CANCELLED
    summary = " ".join(form.select_one(".order-summary").get_text(" ").split())  # type: ignore[union-attr]
    assert summary.startswith("Guest · GBP 12.50 · 2 lines, 5 units 4")
    assert summary.endswith("CARD 1")
    # The reason is still to be chosen, and no field is marked for it.
    assert not form.select(".field-error")
    assert effects(page(supervisor, f"/commands/CancelFulfilment?order_id={THE}"))[1:] == CANCELLED


def test_the_effects_follow_the_fields(order_desk: OrderDesk) -> None:
    supervisor = paid(order_desk)
    address = f"/commands/ShipOrder?order_id={THE}"
    form = page(supervisor, address)
    assert effects(form) == [
        "4 units of 85123A will leave stock.",
        "1 unit of CARD 1 will leave stock.",
    ]
    ask = str(form.select_one("#effects")["hx-post"])  # type: ignore[index]
    values = fields(form) | {"lines-1-quantity": "2", "lines-2-quantity": "0"}
    answer = supervisor.post(ask, data=values)
    assert effects(BeautifulSoup(answer.text, "html.parser")) == [
        "2 units of 85123A will leave stock."
    ]
    # Of what cannot be sent nothing is promised.
    for wrong in ({"lines-1-quantity": "99"}, {"lines-1-quantity": "0"}):
        answer = supervisor.post(ask, data=values | wrong)
        assert effects(BeautifulSoup(answer.text, "html.parser")) == []
    assert order_desk.order().left == [4, 1]


def test_what_would_be_refused_says_so_before_it_is_sent(order_desk: OrderDesk) -> None:
    supervisor = paid(order_desk)
    form = page(supervisor, f"/commands/RejectOrder?order_id={THE}")
    told = form.select_one("#effects")
    assert told is not None
    assert "it can no longer be rejected" in told.get_text()


def test_who_may_not_send_it_is_not_told_what_it_would_do(order_desk: OrderDesk) -> None:
    supervisor = paid(order_desk)
    form = page(supervisor, f"/commands/CancelOrder?order_id={THE}")
    ask = str(form.select_one("#effects")["hx-post"])  # type: ignore[index]
    operator = client_in(order_desk.app, "operator")
    token = page(operator, f"/commands/HoldOrder?order_id={THE}").find(attrs={"name": "csrf_token"})
    values = fields(form) | {"csrf_token": token["value"], "reason": "other"}  # type: ignore[index]
    answer = operator.post(ask, data=values)
    assert answer.status_code == 403
    assert "refunded" not in answer.text


def test_in_a_browser_the_dialog_stays_open_and_its_effects_change_while_typing(
    order_desk: OrderDesk, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> None:
    supervisor = paid(order_desk)
    cookie = supervisor.get_cookie(order_desk.app.config["SESSION_COOKIE_NAME"])
    assert cookie
    address = serve(order_desk.app)
    shown = new_page(base_url=address)
    shown.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    shown.goto(f"/orders/{THE}")
    shown.get_by_role("link", name="Ship order").click()
    dialog = shown.get_by_role("dialog")
    expect(dialog.locator("#effects")).to_contain_text("4 units of 85123A will leave stock.")
    quantity = dialog.get_by_label("Quantity of 85123A, line 1")
    quantity.fill("3")
    expect(dialog.locator("#effects")).to_contain_text("3 units of 85123A will leave stock.")
    expect(quantity).to_be_focused()
    shown.keyboard.press("Control+Enter")
    expect(dialog).to_have_count(0)
    order_desk.catch_up()
    assert order_desk.order().left == [1, 0]


def test_what_is_promised_to_the_supervisor_is_what_the_desk_does(order_desk: OrderDesk) -> None:
    paid(order_desk)
    order_desk.do(CancelFulfilment(order_id=THE, reason="Agreed with the customer."))
    order_desk.settle_all()
    assert order_desk.paid().refunded == order_desk.paid().captured
    assert not order_desk.item(LAMP).reserved
    assert not order_desk.item(CARD).reserved
