"""What the desk says of an order is what fulfilment lets happen to it."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from sqlalchemy import text

from cqrs_app.areas.desk.queries.figures import OrdersByStage
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.stage import STEPS, stage_of
from cqrs_app.areas.desk.words import NEEDS_ACTION, OrderStage
from cqrs_app.areas.fulfilment.decisions import not_released
from cqrs_app.areas.fulfilment.types import Stage as Step
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    HoldOrder,
    RejectOrder,
    ReleaseOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus
from cqrs_app.kernel.queries.context import QueryContext
from tests.areas.fulfilment.conftest import CARD, HOURS, LAMP, THE, Follower, MakeDesk, OrderDesk
from tests.areas.fulfilment.test_every_state_ends import STARTS
from tests.areas.fulfilment.world import begin, explored
from tests.areas.payments.conftest import ADA
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page


@pytest.mark.parametrize("name", STARTS)
def test_an_order_is_ready_to_ship_when_it_may_be_shipped_and_only_then(name: str) -> None:
    for world in explored(begin(*STARTS[name]), most=600):
        process, status = world.process, world.order.status
        if status is not OrderStatus.APPROVED or not process.begun:
            continue
        step = process.status.stage
        if step == Step.STUCK:
            continue
        assert step in STEPS, str(world)
        ready = stage_of(status, step) is OrderStage.READY_TO_SHIP
        assert ready == (not_released(process) is None), str(world)


def shown(desk: OrderDesk, order_id: str = THE) -> tuple[OrderStage, OrderStatus]:
    """The order as projected, which is what its events say too."""
    catch_up(desk.kernel, "read")
    question = GetOrder(order_id=order_id)
    view = desk.ask(question)
    strong = desk.kernel.queries.ask(question, QueryContext(actor=ADA, strong=True)).value
    assert view == strong
    return view.stage, view.status


def test_an_order_goes_from_stage_to_stage(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 1)
    order_desk.place((LAMP, 3))
    assert shown(order_desk) == (OrderStage.NEEDS_APPROVAL, OrderStatus.PLACED)
    order_desk.do(ApproveOrder(order_id=THE))
    assert shown(order_desk) == (OrderStage.PROCESSING, OrderStatus.APPROVED)
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.OUT_OF_STOCK, OrderStatus.ON_HOLD)
    order_desk.receive(LAMP, 5)
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.READY_TO_SHIP, OrderStatus.APPROVED)
    order_desk.do(HoldOrder(order_id=THE, reason=HoldReason.OTHER))
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.ON_HOLD, OrderStatus.ON_HOLD)
    order_desk.do(ReleaseOrder(order_id=THE))
    assert shown(order_desk) == (OrderStage.PROCESSING, OrderStatus.APPROVED)
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.READY_TO_SHIP, OrderStatus.APPROVED)
    order_desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=1),)))
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.PARTLY_SHIPPED, OrderStatus.PART_SHIPPED)
    order_desk.do(ShipOrder(order_id=THE))
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.SHIPPED, OrderStatus.SHIPPED)
    order_desk.do(DeliverOrder(order_id=THE))
    order_desk.settle_all()
    assert shown(order_desk) == (OrderStage.DELIVERED, OrderStatus.DELIVERED)


def test_a_payment_that_fails_is_tried_again_and_then_has_failed(make_desk: MakeDesk) -> None:
    desk = make_desk("tok_declined")
    desk.stock(LAMP, 5)
    desk.approve((LAMP, 3))
    desk.settle_all()
    assert shown(desk) == (OrderStage.AWAITING_PAYMENT, OrderStatus.APPROVED)
    fail_for_good(desk)
    assert shown(desk) == (OrderStage.PAYMENT_FAILED, OrderStatus.ON_HOLD)
    desk.cancel()
    desk.settle_all()
    assert shown(desk) == (OrderStage.CANCELLED, OrderStatus.CANCELLED)


def fail_for_good(desk: OrderDesk) -> None:
    for hours in HOURS:
        desk.clock.move(hours=hours, minutes=1)
        desk.settle_all()


def every_stage(desk: OrderDesk) -> None:
    """An order at each stage that an order can be at today; two wait for approval."""
    desk.stock(LAMP, 100)
    desk.stock(CARD, 0)
    desk.approve((LAMP, 1), order_id="failed")
    desk.settle_all()
    fail_for_good(desk)
    desk.approve((LAMP, 1), order_id="unpaid")
    desk.settle_all()
    fine = replace(desk.policy, method="tok_fine")
    desk.follower = Follower(desk.kernel, desk.actor, fine)
    desk.approve((CARD, 1), order_id="missing")
    for order_id in ("ready", "partly", "shipped", "delivered"):
        desk.approve((LAMP, 2), order_id=order_id)
    for order_id in ("placed", "too", "held", "rejected", "cancelled"):
        desk.place((LAMP, 1), order_id=order_id, price="1234567.89")
    desk.do(HoldOrder(order_id="held", reason=HoldReason.ADDRESS_CHECK))
    desk.do(RejectOrder(order_id="rejected", reason="No such street."))
    desk.do(CancelOrder(order_id="cancelled", reason=CancelReason.OTHER))
    desk.settle_all()
    desk.do(ShipOrder(order_id="partly", lines=(ShippedLine(line_no=1, quantity=1),)))
    desk.do(ShipOrder(order_id="shipped"), ShipOrder(order_id="delivered"))
    desk.do(DeliverOrder(order_id="delivered"))
    desk.settle_all()
    desk.approve((LAMP, 1), order_id="approved")
    catch_up(desk.kernel, "read")


def test_every_count_leads_to_the_orders_that_it_counts(make_desk: MakeDesk) -> None:
    desk = make_desk("tok_declined")
    every_stage(desk)
    listed = [each.stage for each in desk.ask(OrdersByStage()) if each.orders]
    assert listed == [stage for stage in OrderStage if stage is not OrderStage.RETURNED]
    client = client_in(desk.app, "operator")
    home, orders = page(client, "/"), page(client, "/orders")
    tiles = home.select("#home-waiting [data-stage]")
    assert [tile["data-stage"] for tile in tiles] == [*NEEDS_ACTION]
    counted = [(tile, tile.select_one(".figure")) for tile in tiles]
    counted += [(age, age.select_one(".strong")) for age in home.select(".stat-ages a")]
    counted += [(tab, tab.select_one(".tabular")) for tab in orders.select(".stage-tabs a")]
    for link, count in counted:
        assert count is not None
        rows = page(client, str(link["href"])).select("#orders-table tbody tr")
        assert len(rows) == int(count.get_text()) > 0, link
    assert "Needs approval 2" in home.select_one("#home-waiting").get_text(" ", strip=True)


def test_the_stage_reads_the_same_everywhere(make_desk: MakeDesk) -> None:
    desk = make_desk("tok_declined")
    every_stage(desk)
    client = client_in(desk.app, "admin")
    exported = csv.DictReader(client.get("/exports/ListOrders.csv").text.splitlines())
    stages = {row["order_id"]: OrderStage(row["stage"]) for row in exported}
    listed = page(client, "/orders")
    for order_id, stage in stages.items():
        assert stage is shown(desk, order_id)[0]
        row = listed.find(id=f"row-{order_id}")
        heading = page(client, f"/orders/{order_id}").select_one(".order-title")
        assert row is not None and heading is not None
        assert stage.label in row.get_text() and stage.label in heading.get_text()
    with desk.kernel.engines.read.connect() as connection:
        view = connection.execute(text("SELECT order_id, stage FROM v_orders"))
        assert {row.order_id: OrderStage(row.stage) for row in view} == stages


RECOMMENDED = {
    "failed": "Retry payment",
    "missing": None,
    "placed": "Approve order",
    "held": "Release order",
    "ready": "Ship order",
    "partly": "Ship order",
    "shipped": "Mark as delivered",
    "delivered": None,
    "cancelled": None,
}
"""By order of `every_stage`: the action that its page recommends to a supervisor."""


def test_an_order_recommends_the_one_action_that_helps_it(make_desk: MakeDesk) -> None:
    desk = make_desk("tok_declined")
    every_stage(desk)
    client = client_in(desk.app, "supervisor")
    for order_id, label in RECOMMENDED.items():
        main = [each.get_text() for each in page(client, f"/orders/{order_id}").select(".btn-main")]
        assert main == ([label] if label else []), order_id
    # Whoever may not retry fulfilment releases the order, which does the same.
    operators = page(client_in(desk.app, "operator"), "/orders/failed")
    assert [each.get_text() for each in operators.select(".btn-main")] == ["Release order"]


def test_a_payment_is_retried_from_the_order_and_its_page_stays(make_desk: MakeDesk) -> None:
    desk = make_desk("tok_declined")
    every_stage(desk)
    client = client_in(desk.app, "supervisor")
    address = str(page(client, "/orders/failed").select_one("#do-RetryFulfilment")["href"])  # type: ignore[index]
    form = page(client, address)
    values = {
        str(each["name"]): str(each["value"]) for each in form.select("#command [type=hidden]")
    }
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://localhost/orders/failed"}
    answer = client.post(address, data=values, headers=htmx)
    assert answer.headers["HX-Redirect"] == "/orders/failed"
    desk.settle_all()
    assert shown(desk, "failed")[0] is OrderStage.AWAITING_PAYMENT


def test_a_link_from_before_there_were_stages_still_works(make_desk: MakeDesk) -> None:
    desk = make_desk("tok_declined")
    every_stage(desk)
    client = client_in(desk.app, "operator")
    found = page(client, "/orders?status=placed&status=rejected")
    rows = {str(row["id"]) for row in found.select("#orders-table tbody tr")}
    assert rows == {"row-placed", "row-too", "row-rejected"}
    assert "Needs approval" in found.select_one(".chips").get_text()
    chips = page(client, "/orders?stage=needs_approval").select_one(".chips")
    assert chips.get_text(" ", strip=True).startswith("Stage Needs approval")
