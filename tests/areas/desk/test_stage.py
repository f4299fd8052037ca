"""An order's stage follows from its status and its fulfilment, in the rows as in the fold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from cqrs_app.areas.desk.projections.orders import OrdersProjection, UnfulfilledOrdersProjection
from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView, get_order
from cqrs_app.areas.desk.queries.order_list import ListOrders, list_orders
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.desk.stage import stage_of
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.fulfilment.types import Stage as Step
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus
from cqrs_app.kernel import testing
from tests.areas.desk.history import REGISTRY, START, History, project
from tests.areas.orders.given import line, place

_S = OrderStatus
APPROVED = {
    "": OrderStage.READY_TO_SHIP,
    Step.RESERVING: OrderStage.PROCESSING,
    Step.OUT_OF_STOCK: OrderStage.OUT_OF_STOCK,
    Step.PAYING: OrderStage.AWAITING_PAYMENT,
    Step.PAYMENT_RETRY: OrderStage.AWAITING_PAYMENT,
    Step.UNPAID: OrderStage.PAYMENT_FAILED,
    Step.PAUSED: OrderStage.PROCESSING,
    Step.UNDOING: OrderStage.PROCESSING,
    Step.TO_SHIP: OrderStage.READY_TO_SHIP,
}
WHATEVER_FULFILMENT_DOES = {
    _S.PLACED: OrderStage.NEEDS_APPROVAL,
    _S.PART_SHIPPED: OrderStage.PARTLY_SHIPPED,
    _S.SHIPPED: OrderStage.SHIPPED,
    _S.DELIVERED: OrderStage.DELIVERED,
    _S.CANCELLED: OrderStage.CANCELLED,
    _S.REJECTED: OrderStage.REJECTED,
}


def test_labels_are_the_shops_words() -> None:
    assert [stage.label for stage in OrderStage] == [
        "Needs approval",
        "On hold",
        "Awaiting payment",
        "Payment failed",
        "Out of stock",
        "Processing",
        "Ready to ship",
        "Partly shipped",
        "Shipped",
        "Delivered",
        "Returned",
        "Cancelled",
        "Rejected",
    ]


@pytest.mark.parametrize("step", APPROVED)
def test_an_approved_order_is_where_its_fulfilment_is(step: str) -> None:
    assert stage_of(_S.APPROVED, step) is APPROVED[step]


@pytest.mark.parametrize("step", APPROVED)
def test_an_order_that_fulfilment_holds_says_why_and_others_are_on_hold(step: str) -> None:
    said = APPROVED[step] if step in (Step.UNPAID, Step.OUT_OF_STOCK) else OrderStage.ON_HOLD
    assert stage_of(_S.ON_HOLD, step) is said


@pytest.mark.parametrize("status", WHATEVER_FULFILMENT_DOES)
def test_before_the_approval_and_after_the_shipment_only_the_status_counts(
    status: OrderStatus,
) -> None:
    found = {stage_of(status, step) for step in APPROVED}
    assert found == {WHATEVER_FULFILMENT_DOES[status]}


def test_what_came_back_completely_is_returned() -> None:
    for status in OrderStatus:
        back = stage_of(status, "", returned=True)
        assert (back is OrderStage.RETURNED) == (status in (_S.SHIPPED, _S.DELIVERED))


def approved(*, history: bool = False) -> History:
    log = History()
    log.run(place("1", line()), history=history)
    log.run(do.ApproveOrder(order_id="1"), history=history)
    return log


def view_of(log: History, connection: Connection) -> OrderView:
    project(connection, log.recorded)
    view = get_order(GetOrder(order_id="1"), connection)
    assert view is not None
    return view


def test_an_approved_order_is_processing_until_fulfilment_has_decided(
    connection: Connection,
) -> None:
    assert view_of(approved(), connection).stage is OrderStage.PROCESSING


def test_a_payment_that_was_under_way_before_the_approval_decides_nothing(
    connection: Connection,
) -> None:
    log = approved()
    log.move("1", Step.AWAITING)
    assert view_of(log, connection).stage is OrderStage.PROCESSING


def test_history_was_never_seen_to_and_is_ready_to_ship(connection: Connection) -> None:
    assert view_of(approved(history=True), connection).stage is OrderStage.READY_TO_SHIP


def test_with_fulfilment_off_every_approved_order_is_ready_to_ship() -> None:
    projection = UnfulfilledOrdersProjection()
    projection.bind(REGISTRY.events.values())
    log = approved()
    log.move("1", Step.PAYING)
    [row] = testing.fold([projection], log.recorded).all(orders)
    assert row["stage"] == "ready_to_ship"
    # Its rows are others: switching asks for a rebuild.
    assert projection.version != OrdersProjection.version


def test_an_event_of_fulfilment_changes_the_stage_but_not_the_version(
    connection: Connection,
) -> None:
    log, later = approved(), START + timedelta(hours=3)
    before = view_of(log, connection)
    log.move("1", Step.PAYING, "GBP 15.30 outstanding.", later)
    project(connection, log.recorded[-1:])
    after = get_order(GetOrder(order_id="1"), connection)
    assert after is not None
    assert (after.stage, after.stage_since) == (OrderStage.AWAITING_PAYMENT, later)
    assert (after.applied_version, after.updated_at) == (before.applied_version, later)
    position = connection.execute(orders.select()).mappings().one()["applied_position"]
    assert position == log.recorded[-1].stored.position


def test_what_changes_nothing_leaves_the_row_as_it_was(connection: Connection) -> None:
    log = approved()
    log.move("1", Step.PAYING, "GBP 15.30 outstanding.")
    before = view_of(log, connection)
    log.move("1", Step.PAYING, "GBP 15.30 is being charged.", START + timedelta(hours=3))
    project(connection, log.recorded[-1:])
    assert get_order(GetOrder(order_id="1"), connection) == before


def test_a_stuck_order_stays_where_it_is_and_says_what_has_to_be_decided(
    connection: Connection,
) -> None:
    log = approved()
    log.move("1", Step.PAYING)
    log.move("1", Step.STUCK, "The payment is in EUR.")
    view = view_of(log, connection)
    assert (view.stage, view.decision) == (OrderStage.AWAITING_PAYMENT, "The payment is in EUR.")
    log.move("1", Step.TO_SHIP)
    project(connection, log.recorded[-1:])
    view = get_order(GetOrder(order_id="1"), connection) or view
    assert (view.stage, view.decision) == (OrderStage.READY_TO_SHIP, "")


def test_fulfilment_of_an_order_that_does_not_exist_is_passed_over(connection: Connection) -> None:
    log = History()
    log.move("1", Step.STUCK, "There is no order 1.")
    project(connection, log.recorded)
    assert get_order(GetOrder(order_id="1"), connection) is None


def test_orders_are_listed_by_several_stages(connection: Connection) -> None:
    log = History()
    for number in "1234":
        log.run(place(number, line()))
    log.run(do.ApproveOrder(order_id="2"))
    log.move("2", Step.OUT_OF_STOCK)
    log.run(do.HoldOrder(order_id="2", reason=HoldReason.STOCK_CHECK), operator="fulfilment")
    log.run(do.HoldOrder(order_id="3", reason=HoldReason.OTHER))
    log.run(do.CancelOrder(order_id="4", reason=CancelReason.OTHER))
    project(connection, log.recorded)

    def listed(*stages: OrderStage) -> list[str]:
        rows = list_orders(ListOrders(stage=stages, sort="order_id"), connection).rows
        return sorted(row.order_id for row in rows)

    assert listed(OrderStage.OUT_OF_STOCK) == ["2"]
    assert listed(OrderStage.ON_HOLD, OrderStage.OUT_OF_STOCK) == ["2", "3"]
    assert listed(OrderStage.NEEDS_APPROVAL, OrderStage.CANCELLED) == ["1", "4"]
    assert listed() == ["1", "2", "3", "4"]


def test_since_when_an_order_is_at_its_stage(connection: Connection) -> None:
    log = approved()
    days = [START + timedelta(days=number) for number in range(4)]
    log.move("1", Step.TO_SHIP, at=days[1])
    log.run(do.AddOrderNote(order_id="1", note="Rang them."), days[2])
    assert view_of(log, connection).stage_since == days[1]
    log.run(do.ShipOrder(order_id="1", lines=(ShippedLine(line_no=1, quantity=1),)), days[3])
    project(connection, log.recorded[-1:])
    view = get_order(GetOrder(order_id="1"), connection)
    assert view is not None
    assert (view.stage, view.stage_since) == (OrderStage.PARTLY_SHIPPED, days[3])
