"""Fulfilment on the pages: the list, the steps, and the order that waits, without scripts."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.commands import ApproveOrder, ShipOrder
from cqrs_app.areas.orders.queries import OrderActions
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.kernel.errors import Refused
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, Follower, MakeDesk, OrderDesk
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page, send


def words(client: FlaskClient, address: str) -> str:
    return " ".join(page(client, address).get_text(" ").split())


def offered(client: FlaskClient, address: str) -> set[str]:
    links = page(client, address).find_all("a", href=True)
    found = (str(link["href"]) for link in links)
    return {each.split("/")[2].partition("?")[0] for each in found if each.startswith("/commands/")}


def out_of_stock(desk: OrderDesk) -> FlaskClient:
    desk.stock(CARD, 5)
    desk.stock(LAMP, 1)
    desk.approve((CARD, 5), (LAMP, 4))
    desk.settle_all()
    desk.catch_up()
    return client_in(desk.app, "supervisor")


def test_an_order_out_of_stock_says_what_is_missing_and_what_can_be_done(
    order_desk: OrderDesk,
) -> None:
    supervisor = out_of_stock(order_desk)
    listed = words(supervisor, "/fulfilment?show=attention")
    assert "Out of stock 85123A: Only 1 of 4 available;" in listed
    shown = words(supervisor, f"/fulfilment/{THE}")
    assert "Stage Out of stock 85123A: Only 1 of 4 available;" in shown
    assert "Reserve stock Done 5 of CARD 1" in shown
    assert "Reserve stock Refused 4 of 85123A" in shown
    tasks = {"RetryFulfilment", "SkipFulfilmentStep", "CancelFulfilment"}
    assert offered(supervisor, f"/fulfilment/{THE}") == tasks
    assert tasks <= offered(supervisor, f"/orders/{THE}")
    assert offered(client_in(order_desk.app, "operator"), f"/fulfilment/{THE}") == set()


def test_a_line_leads_to_its_product_where_there_is_one(order_desk: OrderDesk) -> None:
    supervisor = out_of_stock(order_desk)
    order_desk.place((LAMP, 1), ("UNKNOWN", 1), order_id="2")
    order_desk.catch_up()
    for order_id, skus in ((THE, [CARD, LAMP]), ("2", [LAMP])):
        links = page(supervisor, f"/orders/{order_id}").select(".order-lines th a")
        assert [link.get_text() for link in links] == skus
        assert [page(supervisor, str(link["href"])).select_one("h1") for link in links]


def test_a_product_names_the_orders_that_wait_for_it(order_desk: OrderDesk) -> None:
    supervisor = out_of_stock(order_desk)
    waiting = "Orders waiting for stock"
    assert f"{THE} 4" in words(supervisor, f"/product?sku={LAMP}").partition(waiting)[2]
    assert "Orders waiting" not in words(supervisor, f"/product?sku={CARD}")


def test_a_supervisor_skips_a_step_by_hand(order_desk: OrderDesk) -> None:
    supervisor = out_of_stock(order_desk)
    address = f"/commands/SkipFulfilmentStep?order_id={THE}&step=stock"
    refused = send(supervisor, address, reason="Short.")
    assert refused.status_code == 422
    answer = send(supervisor, address, reason="The lamps follow later.")
    assert (answer.status_code, answer.location) == (303, f"/fulfilment/{THE}")
    order_desk.settle_all()
    order_desk.catch_up()
    assert order_desk.stage() is Stage.TO_SHIP
    assert "Reserving stock skipped" in words(supervisor, f"/fulfilment/{THE}")


def test_an_order_shipped_in_part_has_one_stage_on_every_page(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 4)
    order_desk.approve((LAMP, 4))
    order_desk.settle_all()
    order_desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=1),)))
    order_desk.settle_all()
    order_desk.catch_up()
    client = client_in(order_desk.app, "viewer")
    rest = "The rest is reserved and paid. Ready to ship."
    assert f"{rest} Steps" in words(client, f"/orders/{THE}")
    assert f"Stage Partly shipped {rest}" in words(client, f"/fulfilment/{THE}")
    assert f"{THE} Partly shipped {rest}" in words(client, "/fulfilment")
    assert "Waiting for shipment 1" in words(client, "/fulfilment")


def test_an_order_that_is_not_paid_is_not_offered_for_shipping(make_desk: MakeDesk) -> None:
    desk = make_desk(method="")
    desk.stock(LAMP, 4)
    desk.approve((LAMP, 4))
    desk.settle_all()
    desk.catch_up()
    supervisor = client_in(desk.app, "supervisor")
    address = f"/orders/{THE}"
    shown = words(supervisor, address)
    assert "GBP 10.00 outstanding. Steps" in shown
    assert "is not ready to ship: GBP 10.00 outstanding." in shown
    assert "ShipOrder" not in offered(supervisor, address)
    # Every interface returns the same sentence.
    told = next(
        each for each in desk.ask(OrderActions(order_id=THE)).actions if each.command == "ShipOrder"
    )
    with pytest.raises(Refused, match="is not ready to ship") as refused:
        desk.ship()
    assert (told.allowed, told.reason) == (False, refused.value.why)
    assert told.reason in shown
    pay = f"/commands/RecordPayment?order_id={THE}&amount=10.00&currency=GBP"
    answer = send(supervisor, pay, payment_id="bank-1", method="bank transfer", reference="17")
    assert answer.status_code == 303
    desk.settle_all()
    desk.catch_up()
    assert "ShipOrder" in offered(supervisor, address)
    shown = words(supervisor, address)
    assert "bank-1 Captured" in shown
    assert "85123A 4 0" in shown


def test_nothing_is_offered_on_the_way_to_shipping_and_taken_back(order_desk: OrderDesk) -> None:
    desk, address = order_desk, f"/orders/{THE}"
    desk.stock(LAMP, 4)
    desk.approve((LAMP, 4))
    supervisor = client_in(desk.app, "supervisor")
    seen = [(words(supervisor, address), offered(supervisor, address))]
    busy = True
    while busy:
        # One step at a time, as the page is polled between them.
        busy = bool(desk.follower.due())
        desk.follower.go_on()
        seen.append((words(supervisor, address), offered(supervisor, address)))
        busy = bool(desk.ask_gateway()) or busy
        seen.append((words(supervisor, address), offered(supervisor, address)))
    may_ship = ["ShipOrder" in names for _, names in seen]
    assert may_ship[0] is False
    assert may_ship == sorted(may_ship)
    assert may_ship[-1] is True
    assert not any("RecordPayment" in names for _, names in seen)
    assert not any("outstanding" in text for text, _ in seen)
    assert any("GBP 10.00 is being charged." in text for text, _ in seen)


def test_an_approved_order_cannot_leave_before_its_fulfilment_begins(
    order_desk: OrderDesk,
) -> None:
    order_desk.stock(LAMP, 4)
    order_desk.approve((LAMP, 4))
    with pytest.raises(Refused, match="is about to begin"):
        order_desk.ship()


def test_an_order_approved_while_fulfilment_was_off_says_that_it_can_be_shipped(
    order_desk: OrderDesk,
) -> None:
    order_desk.place((LAMP, 1))
    order_desk.catch_up()
    client = client_in(order_desk.app, "supervisor")
    assert "Starts when the order is approved." in words(client, f"/orders/{THE}")
    order_desk.do(ApproveOrder(order_id=THE))
    catch_up(order_desk.kernel, "read")
    assert "Starts in a moment." in words(client, f"/orders/{THE}")
    Follower(order_desk.kernel, order_desk.actor, order_desk.policy, enabled=False).go_on()
    shown = words(client, f"/orders/{THE}")
    assert "Not in fulfilment: approved while it was off. The order can be shipped." in shown
    assert "ShipOrder" in offered(client, f"/orders/{THE}")


def test_an_order_nobody_sees_to_has_no_such_page(order_desk: OrderDesk) -> None:
    client = client_in(order_desk.app, "viewer")
    answer = client.get("/fulfilment/none-such")
    assert answer.status_code == 404
    assert "Order none-such has no fulfilment" in answer.text
    assert "No orders in fulfilment" in words(client, "/fulfilment")
