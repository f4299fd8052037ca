"""Events in any order, repeated, and crashes in the middle: stock is never below zero, nothing is
captured twice, no more is refunded than captured, an order that was given up ends with nothing
reserved and nothing owed, and one that is ready has the stock and the money of its lines as they
are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, update

from cqrs_app.areas.fulfilment.commands import RetryFulfilment
from cqrs_app.areas.fulfilment.dispatch import PERMISSIONS
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.types import RELEASED, AfterDeclines, Policy, Stage
from cqrs_app.areas.inventory.commands import AdjustStock
from cqrs_app.areas.inventory.events import StockAdjusted, StockCommitted
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.areas.orders.commands import (
    CancelOrder,
    ChangeOrderLines,
    HoldOrder,
    ReceiveReturn,
    ReleaseOrder,
    RequestReturn,
    ShipOrder,
)
from cqrs_app.areas.orders.types import ChangedLine, ReturnedLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus, ReturnReason
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import subscription_cursors
from cqrs_app.platform.operators.roles import system_actor
from tests.areas.fulfilment.conftest import LAMP, Follower, OrderDesk

PRICE = Decimal("2.50")
TOTAL = 3 * PRICE

STEPS = st.lists(
    st.sampled_from(
        [
            "follow",
            "follow and be killed",
            "hear everything again",
            "ask the gateway",
            "receive",
            "take off",
            "cancel",
            "hold",
            "release",
            "retry",
            "ship",
            "ship one",
            "want one",
            "want five",
            "return one",
            "a day passes",
        ]
    ),
    max_size=14,
)


class Killed(BaseException):
    """As sudden as a signal: nothing catches it."""


@dataclass
class Mortal:
    """A follower whose process is killed after so many more steps: in the middle of a batch of
    commands, or before a transaction is committed."""

    kernel: Kernel
    follower: Callable[[Kernel], Follower]
    left: int
    thread: int = 0

    @property
    def was_killed(self) -> bool:
        return self.left < 0

    def go_on(self) -> bool:
        """Raises Killed."""
        write = self.kernel.engines.write
        self.thread = threading.get_ident()
        event.listen(write, "commit", self.commit)
        try:
            return self.follower(replace(self.kernel, commands=cast(CommandBus, self))).go_on()
        finally:
            event.remove(write, "commit", self.commit)

    def execute_batch(self, items: Sequence[Any]) -> Any:
        self.left -= 1
        if not self.was_killed:
            return self.kernel.commands.execute_batch(items)
        self.kernel.commands.execute_batch(items[: len(items) // 2])
        raise Killed

    def commit(self, connection: Connection) -> None:
        if threading.get_ident() != self.thread:
            # Figures and traces are written beside it.
            return
        self.left -= 1
        if self.was_killed:
            raise Killed


class OneOrder:
    """One order, and everything that may happen to it."""

    def __init__(self, desk: OrderDesk, method: str, after: AfterDeclines, kill: int) -> None:
        self.desk = desk
        self.order_id = new_id()[-8:]
        self.kill = kill
        self.policy = Policy(method=method, retry_after=(3600,), after_declines=after)
        self.actor = system_actor("fulfilment", *PERMISSIONS)
        desk.follower = self.follower(desk.kernel)
        desk.approve((LAMP, 3), order_id=self.order_id, price="2.50")

    def follower(self, kernel: Kernel) -> Follower:
        return Follower(kernel, self.actor, self.policy)

    def step(self, what: str) -> None:
        act: dict[str, Callable[[], object]] = {
            "follow": self.desk.follower.go_on,
            "follow and be killed": self.be_killed,
            "hear everything again": self.hear_again,
            "ask the gateway": self.desk.ask_gateway,
            "receive": lambda: self.desk.receive(LAMP, 2),
            "take off": lambda: self.desk.do(
                AdjustStock(sku=LAMP, difference=-1, reason=AdjustReason.DAMAGED)
            ),
            "cancel": self.cancel,
            "hold": lambda: self.desk.do(
                HoldOrder(order_id=self.order_id, reason=HoldReason.OTHER)
            ),
            "release": lambda: self.desk.do(ReleaseOrder(order_id=self.order_id)),
            "retry": lambda: self.desk.do(RetryFulfilment(order_id=self.order_id)),
            "ship": lambda: self.desk.do(ShipOrder(order_id=self.order_id)),
            "ship one": lambda: self.desk.do(
                ShipOrder(order_id=self.order_id, lines=(ShippedLine(line_no=1, quantity=1),))
            ),
            "want one": lambda: self.want(1),
            "want five": lambda: self.want(5),
            "return one": self.return_one,
            "a day passes": lambda: self.desk.clock.move(days=1.1),
        }
        with suppress(Refused):
            act[what]()
        self.must_hold()

    def be_killed(self) -> None:
        with suppress(Killed):
            Mortal(self.desk.kernel, self.follower, self.kill).go_on()

    def hear_again(self) -> None:
        """Deliver every event again, from the first."""
        with self.desk.kernel.engines.write.begin() as connection:
            mine = subscription_cursors.c.subscription == FulfilmentSubscription.name
            connection.execute(
                update(subscription_cursors).where(mine).values(position=0, hash=None)
            )

    def cancel(self) -> None:
        self.desk.do(CancelOrder(order_id=self.order_id, reason=CancelReason.CUSTOMER_REQUEST))

    def want(self, quantity: int) -> None:
        line = ChangedLine(line_no=1, quantity=quantity, unit_price=PRICE)
        self.desk.do(ChangeOrderLines(order_id=self.order_id, lines=(line,)))

    def return_one(self) -> None:
        line, reason = ReturnedLine(line_no=1, quantity=1), ReturnReason.UNWANTED
        self.desk.do(RequestReturn(order_id=self.order_id, lines=(line,), reason=reason))
        number = self.desk.order(self.order_id).returns
        self.desk.do(ReceiveReturn(order_id=self.order_id, return_id=f"R{number}"))

    @property
    def gone(self) -> int:
        """Units taken from the stock for this order and not put back."""
        codec, units = self.desk.kernel.registry.codec, 0
        for stored in self.desk.kernel.store.events_of(f"product-{LAMP}"):
            match codec.decode(stored).event:
                case StockCommitted() as committed if committed.order_id == self.order_id:
                    units += committed.quantity
                case StockAdjusted(reason="returned") as adjusted:
                    units -= adjusted.difference if self.order_id in adjusted.note else 0
        return units

    def must_hold(self) -> None:
        item = self.desk.item()
        assert item.available >= 0
        assert item.on_hand >= 0
        assert item.reserved.get(self.order_id, 0) <= 5
        payments = [self.desk.paid(each) for each in self.desk.process(self.order_id).payments]
        assert kept_of(self.desk.process(self.order_id)) >= 0
        assert all(each.refunded <= each.captured <= each.authorised for each in payments)


@pytest.mark.timeout(600)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=STEPS,
    method=st.sampled_from(["tok_fine", "tok_declined", "tok_timeout", "tok_twice"]),
    after=st.sampled_from(AfterDeclines),
    kill=st.integers(0, 3),
    give_up=st.booleans(),
)
def test_whatever_happens(
    order_desk: OrderDesk,
    steps: list[str],
    method: str,
    after: AfterDeclines,
    kill: int,
    give_up: bool,
) -> None:
    if not order_desk.item().sku:
        order_desk.stock(LAMP, 2)
    one = OneOrder(order_desk, method, after, kill)
    for what in steps:
        one.step(what)
    if give_up:
        one.step("cancel")
    one.step("hear everything again")
    for _ in range(4):
        order_desk.settle_all()
        order_desk.clock.move(minutes=30)
    one.must_hold()
    order, stand = order_desk.order(one.order_id), order_desk.process(one.order_id).status
    kept = kept_of(order_desk.process(one.order_id))
    reserved = order_desk.item().reserved.get(one.order_id, 0)
    assert one.gone == sum(order.sent) - sum(order.returned.values())
    if order.status is OrderStatus.CANCELLED:
        assert (stand.stage, kept, reserved) == (Stage.UNDONE, 0, 0)
        assert not any(
            order_desk.paid(each).authorised > order_desk.paid(each).captured
            and not order_desk.paid(each).voided
            for each in order_desk.process(one.order_id).payments
        )
    elif stand.stage in RELEASED:
        # What comes back is refunded by people.
        assert kept == order.total == PRICE * order.quantity(1)
        assert reserved == order.left[0]
    elif order.sent or kept:
        assert stand.stage in (Stage.OUT_OF_STOCK, Stage.PAUSED, Stage.PAYMENT_RETRY, Stage.UNPAID)
    else:
        assert stand.stage in (
            Stage.OUT_OF_STOCK,
            Stage.PAUSED,
            Stage.PAYMENT_RETRY,
            Stage.UNPAID,
        )
        assert kept == 0


def test_killed_at_each_step_in_turn(order_desk: OrderDesk) -> None:
    """There and back: the follower is killed at its first step, for the next order at its second,
    and so on until the whole course of an order has no step left."""
    order_desk.stock(LAMP, 1000)
    for step in count():
        one = OneOrder(order_desk, "tok_fine", AfterDeclines.HOLD, kill=0)
        mortal = Mortal(order_desk.kernel, one.follower, step)
        with suppress(Killed):
            there_and_back(one, mortal.go_on)
        there_and_back(one, order_desk.follower.go_on)
        stood = order_desk.process(one.order_id)
        assert (stood.status.stage, kept_of(stood)) == (Stage.UNDONE, 0), step
        assert order_desk.item().reserved == {}, step
        (paid,) = (order_desk.paid(each) for each in stood.payments)
        assert paid.captured in (0, TOTAL), step
        if not mortal.was_killed:
            break
    assert step > 12


def kept_of(process: FulfilmentProcess) -> Decimal:
    """What the shop has of its payments."""
    return sum((each.kept for each in process.payments.values()), Decimal(0))


def there_and_back(one: OneOrder, go_on: Callable[[], bool]) -> None:
    """Until it may leave, and then all the way back."""
    for turn in range(12):
        while go_on():
            pass
        one.desk.ask_gateway()
        if turn == 6:
            with suppress(Refused):
                one.cancel()
    one.must_hold()


@pytest.mark.parametrize("quantity", [1, 5])
def test_killed_at_each_step_of_a_change_it_is_completed(
    order_desk: OrderDesk, quantity: int
) -> None:
    """The follower is killed at its first step after the lines were changed, for the next order at
    its second, and so on until a change has no step left."""
    order_desk.stock(LAMP, 1000)
    for step in count():
        one = OneOrder(order_desk, "tok_fine", AfterDeclines.HOLD, kill=0)
        order_desk.settle_all()
        one.want(quantity)
        mortal = Mortal(order_desk.kernel, one.follower, step)
        with suppress(Killed):
            while mortal.go_on() or order_desk.ask_gateway():
                pass
        order_desk.settle_all()
        changed = order_desk.process(one.order_id)
        assert (changed.status.stage, kept_of(changed)) == (Stage.TO_SHIP, quantity * PRICE), step
        assert order_desk.item().reserved[one.order_id] == quantity, step
        if not mortal.was_killed:
            break
    assert step >= 4
