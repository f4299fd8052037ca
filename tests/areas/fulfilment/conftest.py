"""A console with orders, stock, sandbox payments and fulfilment, all run in the test's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from flask import Flask

from cqrs_app.areas.fulfilment.commands import CancelFulfilment, RetryFulfilment, SkipFulfilmentStep
from cqrs_app.areas.fulfilment.dispatch import PERMISSIONS
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.store import process_of
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.tasks import KEY, DispatchCommands
from cqrs_app.areas.fulfilment.types import AfterDeclines, Policy, Stage, Step
from cqrs_app.areas.inventory.commands import AddProduct, ReceiveStock
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.orders.commands import ApproveOrder, CancelOrder, PlaceOrder, ShipOrder
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.payments.gateway_client import GatewayClient
from cqrs_app.areas.payments.gateway_commands import ANSWER
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import Actor, new_id
from cqrs_app.kernel.commands.middleware import Middleware
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.subscriptions.runner import SubscriptionRunner
from cqrs_app.platform.operators.roles import system_actor
from tests.areas.payments.conftest import SECRET, Desk
from tests.platform.webhooks.conftest import Clock

THE = "1001"
LAMP, CARD = "85123A", "CARD 1"
HOURS = (1, 24)


class Follower:
    """Fulfilment's subscription and its background task, with the test's policy and clock."""

    def __init__(
        self, kernel: Kernel, actor: Actor, policy: Policy, *, enabled: bool = True
    ) -> None:
        self._kernel = kernel
        self._task = DispatchCommands(actor, enabled=enabled)
        subscription = FulfilmentSubscription(policy, enabled=enabled, clock=kernel.clock)
        self._runner = SubscriptionRunner(
            {subscription.name: subscription},
            kernel.registry.codec,
            kernel.store,
            {"read": kernel.engines.read, "write": kernel.engines.write},
            batch=500,
            advanced=lambda *advanced: None,
            erased=lambda: None,
            clock=kernel.clock,
        )

    def due(self) -> list[str]:
        """The keys of due work."""
        return [*self._runner.behind("write"), *self._task.due(self._kernel)]

    def go_on(self) -> bool:
        """Process the log and overdue processes, and dispatch commands; returns whether more
        remains."""
        self._runner.advance(FulfilmentSubscription.name)
        return self._task.work(self._kernel, KEY)


class OrderDesk(Desk):
    """`settle` runs everything that is due now."""

    def __init__(self, app: Flask, clock: Clock, method: str, after: AfterDeclines) -> None:
        super().__init__(app, clock)
        self.kernel = replace(self.kernel, commands=self.bus())
        self.teller = GatewayClient(
            self.kernel,
            {"sandbox": self.sandbox},
            actor=system_actor("gateway", ANSWER),
            chance=lambda: 0.5,
        )
        retries = tuple(hours * 3600 for hours in HOURS)
        self.policy = Policy(method=method, retry_after=retries, after_declines=after)
        self.actor = system_actor("fulfilment", *PERMISSIONS)
        self.follower = Follower(self.kernel, self.actor, self.policy)

    def bus(self, *more: Middleware) -> CommandBus:
        """A bus that records events at the time of the test's clock, with `more` middleware."""
        registry = self.kernel.registry
        return CommandBus(
            registry.routes,
            registry.codec,
            self.kernel.store,
            self.kernel.log,
            self.kernel.vault,
            BusOptions(),
            middleware=(*registry.middleware, *more),
            consequences=registry.consequences,
            after_commit=lambda types: None,
            wake=lambda command_id: None,
            count=lambda *counted: None,
            clock=self.clock,
        )

    def stock(self, sku: str, quantity: int) -> None:
        self.do(AddProduct(sku=sku))
        if quantity:
            self.receive(sku, quantity)

    def receive(self, sku: str, quantity: int) -> None:
        self.do(ReceiveStock(sku=sku, quantity=quantity, reference=new_id()))

    def approve(self, *lines: tuple[str, int], order_id: str = THE, price: str = "2.50") -> None:
        self.place(*lines, order_id=order_id, price=price)
        self.do(ApproveOrder(order_id=order_id))

    def place(self, *lines: tuple[str, int], order_id: str = THE, price: str = "2.50") -> None:
        ordered = tuple(
            OrderLine(sku=sku, description="", quantity=quantity, unit_price=Decimal(price))
            for sku, quantity in lines
        )
        self.do(PlaceOrder(order_id=order_id, country="Peru", currency="GBP", lines=ordered))

    def settle_all(self) -> None:
        """Settle until nothing is due."""
        for _ in range(100):
            busy = bool(self.follower.due())
            while self.follower.go_on():
                pass
            if not self.ask_gateway() and not busy:
                return
        raise AssertionError("it never comes to rest")

    def retry(self) -> None:
        self.do(RetryFulfilment(order_id=THE))

    def skip(self, step: Step) -> None:
        self.do(SkipFulfilmentStep(order_id=THE, step=step, reason="Agreed with the customer."))

    def cancel(self) -> None:
        self.do(CancelOrder(order_id=THE, reason="customer_request"))

    def cancel_fulfilment(self, order_id: str = THE) -> None:
        self.do(CancelFulfilment(order_id=order_id, reason="Agreed with the customer."))

    def ship(self) -> None:
        self.do(ShipOrder(order_id=THE, carrier="By hand"))

    def process(self, order_id: str = THE) -> FulfilmentProcess:
        with self.kernel.engines.write.connect() as connection:
            return process_of(connection, order_id)

    def stage(self, order_id: str = THE) -> Stage:
        return Stage(self.process(order_id).status.stage)

    def item(self, sku: str = LAMP) -> StockItem:
        return cast(StockItem, self.state(StockItem, sku))

    def order(self, order_id: str = THE) -> Order:
        return cast(Order, self.state(Order, order_id))

    def paid(self, payment_id: str = f"{THE}-1") -> Payment:
        return cast(Payment, self.state(Payment, payment_id))

    def state(self, cls: type[Aggregate], identity: str) -> Aggregate:
        repository = Repository(self.kernel.store, self.kernel.registry.codec)
        return repository.load(cls, cls.stream_of(identity))[0]


MakeDesk = Callable[..., OrderDesk]


@pytest.fixture
def make_desk(make_console: Callable[..., Flask]) -> MakeDesk:
    def make(
        method: str = "tok_fine", after: AfterDeclines = AfterDeclines.HOLD, **settings: Any
    ) -> OrderDesk:
        values = {"payment_gateway": "sandbox", "payment_callback_secret": SECRET} | settings
        return OrderDesk(make_console(**values), Clock(), method, after)

    return make


@pytest.fixture
def order_desk(make_desk: MakeDesk) -> OrderDesk:
    return make_desk()
